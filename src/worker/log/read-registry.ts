import { parsePayload } from "../../contract/audit.ts";
import { type RegistryEntry, type RegistryPayload, registryPayloadSchema } from "../../contract/audit-registry.ts";
import { storageUnavailable } from "../../contract/problem.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { verifyPayload } from "../access/sign-payload.ts";
import { listObjects, type ObjectName, readObjects } from "../store/registry-objects.ts";
import { mergeEntries, type Registry } from "./registry.ts";

/** How many objects are looked at, the newest first: an hour has some sixty, and as many as it takes for all logs. */
const OBJECTS = 1_000;
/** How many are read at once. */
const AT_ONCE = 100;
/** How far clocks may differ, in milliseconds: what says to be of later than that is nobody's. */
const AHEAD = 300_000;

interface Needs {
  readonly kv: KVNamespace;
  readonly logKeys: LogKeys;
  readonly now: Date;
}

/**
 * Reads what the registry says: the newest objects, back to the last time that all logs were put on record. Read it before
 * what is judged by it, so that D1 has come at least as far. Each entry counts by how far its log had come, so it does not
 * matter in which order objects are found, nor that some are not seen yet.
 *
 * @throws {Problem} `storage-unavailable`, also when there is so much under the registry's prefix that it cannot be told apart.
 */
export async function readRegistry({ kv, logKeys, now }: Needs): Promise<Registry> {
  try {
    const list = await listObjects(kv, 1);
    const names = list.names.filter(({ at }) => at <= now.getTime() + AHEAD);
    const registry = await readBack({ kv, logKeys }, names.slice(0, OBJECTS));
    if (registry.fullAt === null && !(list.complete && names.length <= OBJECTS)) throw new Error("the registry has too many objects that are not its own");
    return registry;
  } catch (cause) {
    throw storageUnavailable("The registry of audit logs cannot be read.", cause);
  }
}

async function readBack({ kv, logKeys }: Pick<Needs, "kv" | "logKeys">, names: readonly ObjectName[]): Promise<Registry> {
  const entries = new Map<string, RegistryEntry>();
  const fulls = new Map<string, Set<number>>();
  let newestAt: number | null = null;
  let fullAt: number | null = null;
  let refused = 0;
  for (let from = 0; from < names.length && fullAt === null; from += AT_ONCE) {
    const page = names.slice(from, from + AT_ONCE);
    const objects = await readObjects(
      kv,
      page.map(({ name }) => name),
    );
    for (const name of page) {
      const jws = objects.get(name.name);
      if (jws === undefined) continue;
      const payload = await readObject(logKeys, name, jws);
      if (!payload) refused++;
      else {
        mergeEntries(entries, payload.entries);
        newestAt ??= name.at;
        if (fullAt === null && isWhole(fulls, payload)) fullAt = name.at;
      }
    }
  }
  return { newestAt, fullAt, entries, refused };
}

/** What an object says; `undefined` unless it was signed, under this name. */
async function readObject(keys: LogKeys, { name, at, full, part, parts }: ObjectName, jws: string): Promise<RegistryPayload | undefined> {
  const signed = await verifyPayload(keys, "keyhole-registry", jws);
  const { data } = parsePayload(registryPayloadSchema, signed?.vouched ? signed.payload : undefined) ?? {};
  const same = data?.name === name && Date.parse(data.at) === at && data.full === full && data.part === part && data.parts === parts;
  return same ? data : undefined;
}

/** Notes a part, and says whether all parts of its time have been seen. */
function isWhole(fulls: Map<string, Set<number>>, { full, at, part, parts }: RegistryPayload): boolean {
  if (!full) return false;
  const id = `${at} ${parts}`;
  const seen = fulls.get(id) ?? new Set();
  fulls.set(id, seen.add(part));
  return seen.size === parts;
}
