/** Of which characters a value is made. */
export const ALPHABETS = {
  letters: { title: "Letters and digits", characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" },
  symbols: { title: "Letters, digits and symbols", characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#%*+-./:=?@_~" },
  hex: { title: "Hexadecimal", characters: "0123456789abcdef" },
} as const;
export type Alphabet = keyof typeof ALPHABETS;

/** A random value of so many characters, each as likely as any other: a byte that would make the first ones likelier is drawn again. */
export function generateValue(length: number, alphabet: Alphabet): string {
  const { characters } = ALPHABETS[alphabet];
  const fair = 256 - (256 % characters.length);
  let value = "";
  while (value.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < fair && value.length < length) value += characters[byte % characters.length];
    }
  }
  return value;
}
