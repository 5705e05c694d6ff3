import { existsSync, readFileSync, rmSync } from "node:fs";
import { draftOf, STEPS, type Steps, writeDurably } from "./write-durably.ts";

/**
 * Replaces a file, or makes it, as {@link writeDurably} does. What was there before stays beside it, as
 * `<path>.previous`. Only their owner may read either.
 */
export function replaceFile(path: string, text: string, steps: Steps = STEPS): void {
  writeDurably(path, text, steps, () => keepPrevious(path, steps));
}

function keepPrevious(path: string, { write, rename }: Steps): void {
  if (!existsSync(path)) return;
  const copy = draftOf(path);
  try {
    write(copy, readFileSync(path, "utf8"));
    rename(copy, `${path}.previous`);
  } finally {
    rmSync(copy, { force: true });
  }
}
