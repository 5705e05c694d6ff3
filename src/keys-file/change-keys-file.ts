import { readFileSync, realpathSync, statSync } from "node:fs";
import { replaceFile } from "../files/replace-file.ts";
import { withLock } from "../files/with-lock.ts";
import type { Steps } from "../files/write-durably.ts";
import { KeysFileError } from "./keys-file-error.ts";
import { readSecrets, type WorkerSecrets, withSecrets } from "./worker-secrets.ts";

/** What a change of keys comes to: the secrets that are others then, and more for whoever asked. */
export interface KeyChange {
  readonly secrets: Partial<WorkerSecrets>;
}

/**
 * Changes the keys in a file of Worker secrets. The file is read and replaced as one: of two changes at once the second
 * begins with what the first one wrote, or refuses that. What was in the file before is kept beside it.
 *
 * @param change Makes the change of what is in the file; called again when the file is another one by then. An empty file
 *   and one that is not there have no secrets.
 * @throws {KeysFileError} and whatever `change` throws. The file is then as it was.
 */
export async function changeKeysFile<T extends KeyChange>(
  named: string,
  change: (secrets: Partial<WorkerSecrets>) => T | Promise<T>,
  steps?: Steps,
): Promise<T> {
  for (;;) {
    const file = realPath(named);
    const text = readText(file);
    const changed = await change(readSecrets(text ?? "", named));
    const next = withSecrets(text ?? "", changed.secrets, named);
    let replaced = false;
    await withLock(`${file}.lock`, () => {
      if (readText(file) !== text) return;
      replaceFile(file, next, steps);
      replaced = true;
    });
    if (replaced) return changed;
  }
}

/** A link stays one: what it leads to is replaced. */
function realPath(named: string): string {
  const there = statSync(named, { throwIfNoEntry: false });
  if (there && !there.isFile()) throw new KeysFileError(`${named} is not a file`, "name a file of Worker secrets");
  return there ? realpathSync(named) : named;
}

function readText(file: string): string | null {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw new KeysFileError(`${file} cannot be read`, "see to it that you may read it, or name another file", { cause: error });
  }
}
