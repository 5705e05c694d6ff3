import type { Keeping } from "./types/keeping.ts";

/**
 * What a call says about keeping, and where it says nothing what was said for all; `undefined` where nobody said anything.
 *
 * @throws {TypeError} for what is not whole seconds.
 */
export function keepingOf(call: Keeping, all: Keeping): { readonly maxAge: number | undefined; readonly staleIfError: number } {
  const maxAge = call.maxAge ?? all.maxAge;
  return {
    maxAge: maxAge === undefined ? undefined : wholeSeconds("maxAge", maxAge),
    staleIfError: wholeSeconds("staleIfError", call.staleIfError ?? all.staleIfError ?? 0),
  };
}

function wholeSeconds(name: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0) throw new TypeError(`${name} is a number of whole seconds`);
  return value;
}
