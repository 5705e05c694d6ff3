/** An opaque id of 122 random bits: `<prefix>_` and 32 hexadecimal digits. */
export function newId(prefix: "sec" | "tok" | "req" | "lse" | "run" | "c" | "a" | "bak" | "msg" | "whs"): string {
  return `${prefix}_${crypto.randomUUID().replaceAll("-", "")}`;
}
