import { CANARY } from "./hostile.ts";

const BASE64 = [0, 1, 2].map(insideBase64);
const BASE64URL = BASE64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
const WRITINGS = [CANARY, encodeURIComponent(CANARY), ...BASE64, ...BASE64URL];

/** Whether a text holds the canary as it is, as it stands in a URL, or within something longer that is written in base64. */
export function holdsCanary(text: string): boolean {
  return WRITINGS.some((writing) => text.includes(writing));
}

/** What base64 makes of the canary after so many bytes, without the first and last characters, which also hold bits of the neighbours. */
function insideBase64(before: number): string {
  return btoa("x".repeat(before) + CANARY).slice(before === 0 ? 0 : 4, -4);
}
