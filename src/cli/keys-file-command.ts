import { changeKeysFile, type KeyChange } from "../keys-file/change-keys-file.ts";
import type { SigningName } from "../keys-file/signing-key.ts";
import type { WorkerSecrets } from "../keys-file/worker-secrets.ts";
import { usageError } from "./cli-error.ts";
import type { Arguments } from "./define-command.ts";
import { note, printJson, printLine } from "./output.ts";

/** The option that names the file of Worker secrets. */
export const FILE = {
  file: { type: "string", valueHint: "FILE", description: "the file of Worker secrets, lines NAME='value'; .dev.vars on this machine" },
} as const satisfies Arguments;

/** The option that tells the log's keys from those of tokens. */
export const LOG = {
  log: { type: "boolean", description: "LOG_KEY, which signs the audit log, in place of SIGNING_KEY" },
} as const satisfies Arguments;

/** Which Worker secret {@link LOG} means. */
export function signingName({ log }: { readonly log: boolean | undefined }): SigningName {
  return log ? "LOG_KEY" : "SIGNING_KEY";
}

/** How a file goes on the Worker. */
export function put(file: string | undefined): string {
  return `npx wrangler secret bulk ${file}`;
}

/** The ids that a change is about, if any: of these the first one is printed. */
type Ids = { readonly before?: string; readonly id?: string; readonly kid?: string };

/** Changes a file of Worker secrets, prints the id that is needed next, and says what was done. Of a key nothing is printed. */
export async function putAndReport<T extends KeyChange & Ids>(
  { file, json }: { readonly file: string | undefined; readonly json: boolean | undefined },
  change: (secrets: Partial<WorkerSecrets>) => T | Promise<T>,
  describe: (changed: T) => readonly string[],
): Promise<void> {
  if (!file) throw usageError("the file of Worker secrets is not named", "--file FILE; on this machine it is .dev.vars");
  const changed = await changeKeysFile(file, change);
  const { secrets, before, id, kid } = changed;
  const printed = before ?? id;
  if (json) printJson({ file, changed: Object.keys(secrets), ...(id && { id }), ...(kid && { kid }), ...(before && { before }) });
  else if (printed !== undefined) printLine(printed);
  for (const line of describe(changed)) note(line);
}
