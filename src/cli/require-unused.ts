import type { KeysReply } from "../client/create-client.ts";
import { readKeyring } from "../keys-file/open-keyring.ts";
import type { WorkerSecrets } from "../keys-file/worker-secrets.ts";
import { CliError } from "./cli-error.ts";
import { openSession } from "./session.ts";

/** The flag that stands in for the deployment's word. */
const ASSUME = "--assume-unused";

/**
 * Asks a deployment whether a key of its keyring can go.
 *
 * @throws {CliError} when something is under it, or the deployment cannot tell, or is not the one whose keys these are.
 */
export async function requireUnused({ profile, id, secrets }: { profile: string | undefined; id: string; secrets: Partial<WorkerSecrets> }): Promise<void> {
  const { client, url } = await openSession({ profile });
  const { counted, keys } = await client.keys.usage();
  if (counted !== "deployment")
    throw new CliError(
      "this token sees what is under a key in its own organization only",
      `use a token of PLATFORM_ORG; or ${ASSUME}, if you know that nothing is`,
    );
  const current = keys.find((key) => key.current)?.id;
  const key = keys.find((key) => key.id === id);
  const { keys: inFile } = readKeyring(secrets);
  if (!key || current === undefined || !Object.hasOwn(inFile, current))
    throw new CliError(
      `${url} has other keys than this file`,
      `name its deployment with --profile, or put the file on the Worker first; or ${ASSUME}, if you know that nothing is under it`,
    );
  if (key.current)
    throw new CliError(`${id} is still the current key of ${url}`, "put the file of after promote on the Worker, and wait until all is under the new one");
  const used = inUse(key);
  if (used)
    throw new CliError(`the key is in use: ${used} are under ${id}`, "`keyhole keys rewrap` puts them under the current one, and so does the scheduled run");
}

function inUse({ versions, archives, seals }: KeysReply["keys"][number]): string {
  const counts = Object.entries({ versions, archives, seals }).flatMap(([what, count]) => (count > 0 ? [`${count} ${what}`] : []));
  return counts.join(" and ");
}
