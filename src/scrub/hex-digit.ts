const VALUES = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value++) {
  VALUES[value.toString(16).charCodeAt(0)] = value;
  VALUES[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** The value of a hexadecimal digit, in small or in capital letters; -1 for another byte. */
export function hexDigit(byte: number): number {
  return VALUES[byte] ?? -1;
}
