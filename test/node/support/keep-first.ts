import { existsSync, renameSync, rmSync } from "node:fs";

/** Puts what was made in its place, unless another process was quicker: then that one's stays. */
export function keepFirst(draft: string, path: string): void {
  try {
    renameSync(draft, path);
  } catch (error) {
    if (!existsSync(path)) throw error;
    rmSync(draft, { recursive: true });
  }
}
