import { type Client, type Conditions, KeyholeError } from "../client/create-client.ts";
import { usageError } from "./cli-error.ts";
import type { Arguments } from "./define-command.ts";
import { locating } from "./locate.ts";
import { parseVersion } from "./parse-version.ts";

/** The option of a write that is to happen in one state only. */
export const IF_VERSION_ARG = {
  "if-version": { type: "string", valueHint: "N", description: "only if N is the current version, and nobody changes it meanwhile (else exit code 1)" },
} as const satisfies Arguments;

/** How often it is looked at again, where only what is known of the secret has changed. */
const ATTEMPTS = 5;

/** A secret that is written to. */
interface Place {
  readonly client: Client;
  readonly scope: string;
  readonly name: string;
}

/** The number in `--if-version N`; 0, where that is taken, is that there is no secret. */
export function parseIfVersion(text: string | undefined, name: string, least: 0 | 1): number | undefined {
  if (text === undefined) return undefined;
  if (text !== "0") return parseVersion(text, name);
  if (least === 0) return 0;
  throw usageError("--if-version 0 means that there is no secret", "then there is nothing to do; `keyhole set` takes it");
}

/**
 * Writes if a version is the current one, on the condition that the service holds it to: nothing of it changes in between.
 *
 * @throws {KeyholeError} `version-conflict` where another is.
 */
export async function writeAtVersion<T>(place: Place, version: number | undefined, write: (conditions: Conditions) => Promise<T>): Promise<T> {
  if (version === undefined) return write({});
  if (version === 0) return write({ ifNoneMatch: "*" }).catch((error: unknown) => refuse(error, place));
  for (let attempt = 1; ; attempt++) {
    const etag = await tagAt(place, version);
    try {
      return await write({ ifMatch: etag });
    } catch (error) {
      // What is known of the secret has a state, too: where only that is another one, the version still is.
      if (!isConflict(error) || attempt === ATTEMPTS) throw error;
    }
  }
}

async function tagAt({ client, scope, name }: Place, version: number): Promise<string> {
  const { secret, etag } = await locating(client, [name], [scope], () => client.secrets.getTagged(scope, name));
  if (secret.version === version) return etag;
  throw new KeyholeError("version-conflict", `${name} in ${scope} is at version ${secret.version}, and not at ${version}.`, { status: 412 });
}

function refuse(error: unknown, { name, scope }: Place): never {
  throw isConflict(error) ? new KeyholeError("version-conflict", `There is a secret ${name} in ${scope} already.`, { status: 412 }) : error;
}

function isConflict(error: unknown): boolean {
  return error instanceof KeyholeError && error.code === "version-conflict";
}
