import { usageError } from "./cli-error.ts";

/** The number of a version of a secret. */
export function parseVersion(text: string, name: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw usageError("that is not a version", `\`keyhole versions ${name}\` shows them`);
}
