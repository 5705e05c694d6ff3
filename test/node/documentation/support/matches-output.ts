import { isDeepStrictEqual } from "node:util";

/** Whether a command printed what a document shows. There `…` is any text in a line: ids, times, tokens, what does not matter. */
export function matchesOutput(shown: string, printed: string): boolean {
  return pattern(shown.trimEnd(), "[^\\n]*").test(printed.trimEnd());
}

/** The same of JSON, whatever its spaces and the order of its members. `"…"` is any value. */
export function matchesJson(shown: unknown, printed: unknown): boolean {
  if (shown === "…") return printed !== undefined;
  if (typeof shown === "string") return typeof printed === "string" && pattern(shown, "[^]*").test(printed);
  if (Array.isArray(shown)) return Array.isArray(printed) && shown.length === printed.length && shown.every((one, n) => matchesJson(one, printed[n]));
  if (!isObject(shown) || !isObject(printed)) return isDeepStrictEqual(shown, printed);
  const names = Object.keys(shown);
  return isDeepStrictEqual(names.toSorted(), Object.keys(printed).toSorted()) && names.every((name) => matchesJson(shown[name], printed[name]));
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function pattern(shown: string, any: string): RegExp {
  const parts = shown.split("…").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(any)}$`);
}
