import type { KeyChange } from "./change-keys-file.ts";
import { KeysFileError } from "./keys-file-error.ts";
import { makeSecrets } from "./make-secrets.ts";
import { SECRET_NAMES, type WorkerSecrets } from "./worker-secrets.ts";

/**
 * The keys of a new deployment, for a file that has none.
 *
 * @throws {KeysFileError} when it has any.
 */
export async function initSecrets(secrets: Partial<WorkerSecrets>): Promise<KeyChange> {
  const there = SECRET_NAMES.filter((name) => secrets[name] !== undefined);
  if (there.length > 0)
    throw new KeysFileError(`there are keys in the file: ${there.join(", ")}`, "name another file for a new deployment; add and rotate-signing change these");
  return { secrets: await makeSecrets() };
}
