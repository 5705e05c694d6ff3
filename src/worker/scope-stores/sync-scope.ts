import { Problem } from "../../contract/problem.ts";
import { whyReserved } from "../../contract/reserved-name.ts";
import type { Scope } from "../../contract/scope.ts";
import type { LeftOutKey, ScopeSync } from "../../contract/scope-sync.ts";
import { type SecretName, secretNameSchema } from "../../contract/secret-name.ts";
import { storeAllowsPrefix } from "../../contract/store.ts";
import { isStoreKey } from "../../contract/store-key.ts";
import type { Caller } from "../access/caller.ts";
import { requireEveryName } from "../scopes/require-every-name.ts";
import { unlessTaken } from "../secrets/unless-taken.ts";
import { planCreation, type Write, writeSecrets } from "../secrets/write-secrets.ts";
import { rowsOf } from "../store/run-batch.ts";
import { requireScopeStore } from "../store/scope-store-rows.ts";
import { type StoreWriteRow, selectWrites } from "../store/store-write-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { readForCaller, runForCaller } from "../transaction/run-for-caller.ts";
import { verifyRows } from "../transaction/verify-row.ts";
import { findBound, findPlace, type Place, valueThere } from "./find-place.ts";
import { listPlace } from "./list-place.ts";
import { openPlace, timeForStore } from "./open-place.ts";
import type { PlaceNeeds } from "./place-needs.ts";
import { type KnownSecret, readScope } from "./read-scope.ts";

/** How many secrets one call makes, and how many keys that are left out a reply names. */
const MOST_MADE = 200;
const MOST_TOLD = 500;
/** How often it goes on to the next ones. */
const MOST_TIMES = 5;

interface LeftOut {
  readonly key: string;
  readonly reason: LeftOutKey;
}

/** What is to be done with the keys of a store. */
interface Sorted {
  readonly wanted: readonly SecretName[];
  readonly present: number;
  readonly skipped: readonly LeftOut[];
}

/**
 * Brings in what a scope's store has: a name that is not here becomes a secret that has its value from there. Nothing is deleted,
 * neither here nor there, and no value is read.
 *
 * @throws {Problem} `forbidden`, `scope-not-found` for a scope that is in no store, `too-many-secrets`, `store-unavailable`, `store-refused`,
 *   `quota-exceeded`, `rate-limited`, `integrity-failed`, `storage-unavailable`.
 */
export async function syncScope(needs: PlaceNeeds, caller: Caller, scope: Scope, dryRun: boolean): Promise<ScopeSync> {
  caller.require("secrets:write", scope);
  requireEveryName(caller);
  if (!(await findBound(needs, caller, scope))) throw new Problem("scope-not-found", "The scope is in no store.");
  const found = await findPlace(needs, caller, scope);
  requireAllowed(found);
  const place = await openPlace(needs, caller, found, "store.read", timeForStore());
  const { keys, complete } = await listPlace(place);
  return retryWhenChanged(async () => {
    const known = await readScope(needs, caller, place);
    const { wanted, present, skipped } = sort(needs, place, keys, known);
    const { created, refused, remaining } = await createFirst(needs, caller, place, wanted, dryRun);
    const listed = new Set(keys);
    const isGone = ({ name, isThere, isDeleted }: KnownSecret) => isThere && !isDeleted && !listed.has(place.bound.prefix + name);
    const left = [...skipped, ...refused];
    return {
      created,
      present,
      skipped: left.slice(0, MOST_TOLD),
      skipped_more: Math.max(0, left.length - MOST_TOLD),
      missing: complete ? [...known.values()].filter(isGone).map(({ name }) => name) : [],
      remaining,
      complete,
    };
  });
}

/** What the store does not let the scope have is not even listed. */
function requireAllowed({ bound: { store, scope, prefix }, found: { definition } }: Place): void {
  if (storeAllowsPrefix(definition, scope as Scope, prefix)) return;
  throw new Problem("store-refused", `The store ${store} does not let ${scope} have all keys that begin with its prefix any more.`);
}

function sort({ reservedNames }: PlaceNeeds, { bound, found }: Place, keys: readonly string[], known: ReadonlyMap<string, KnownSecret>): Sorted {
  let present = 0;
  const wanted: SecretName[] = [];
  const skipped: LeftOut[] = [];
  for (const key of keys) {
    const { data: name } = secretNameSchema.safeParse(key.slice(bound.prefix.length));
    const secret = name && known.get(name);
    const reason = reasonOf(name, secret);
    if (reason) skipped.push({ key, reason });
    else if (secret) present++;
    else if (name) wanted.push(name);

    function reasonOf(name: SecretName | undefined, secret: KnownSecret | undefined): LeftOutKey | undefined {
      if (name === undefined || !isStoreKey(found.definition.kind, key)) return "not-a-name";
      if (secret?.isDeleted) return "deleted";
      if (secret) return secret.isThere ? undefined : "value-here";
      return whyReserved(name, reservedNames) === undefined ? undefined : "name-reserved";
    }
  }
  return { wanted, present, skipped };
}

/** Makes the first secrets of some: where none of them can be made, those that come after. */
async function createFirst(needs: PlaceNeeds, caller: Caller, place: Place, wanted: readonly SecretName[], dryRun: boolean) {
  const refused: LeftOut[] = [];
  let at = 0;
  for (let times = 0; times < MOST_TIMES && at < wanted.length; times++) {
    const some = await create(needs, caller, place, wanted.slice(at, at + MOST_MADE), dryRun);
    at += MOST_MADE;
    refused.push(...some.refused);
    if (some.created.length > 0) return { created: some.created, refused, remaining: Math.max(0, wanted.length - at) };
  }
  return { created: [], refused, remaining: Math.max(0, wanted.length - at) };
}

/** Makes secrets, all but those whose names are taken. */
async function create(
  needs: PlaceNeeds,
  caller: Caller,
  place: Place,
  names: readonly SecretName[],
  dryRun: boolean,
): Promise<{ readonly created: string[]; readonly refused: LeftOut[] }> {
  const { scope, prefix } = place.bound;
  const sealing = await allowSealing(needs);
  const begun = await findBegun(needs, caller, scope, names);
  const refused = names.filter((name) => begun.has(name)).map((name): LeftOut => ({ key: prefix + name, reason: "being-written" }));
  const free = names.filter((name) => !begun.has(name));
  let writes = await Promise.all(free.map((name) => planCreation(sealing, caller, { scope, name }, { value: valueThere(place, name) })));
  while (writes.length > 0) {
    try {
      const guard = requireScopeStore(needs.db, caller.org, scope, place.bound);
      if (!dryRun) await writeSecrets(sealing, caller, "secret.import", writes, undefined, { statements: [guard] });
      else await unlessTaken(needs, caller, writes, (guards) => runForCaller(needs, caller, [...guards]));
      break;
    } catch (error) {
      const taken = takenIn(error, writes);
      if (taken.size === 0) throw error;
      refused.push(...[...taken].map(([name, reason]) => ({ key: prefix + name, reason })));
      writes = writes.filter(({ row }) => !taken.has(row.name));
    }
  }
  return { created: writes.map(({ row }) => row.name), refused };
}

/** The names that are being written, or of which it is not known that this has ended. */
async function findBegun(needs: PlaceNeeds, caller: Caller, scope: string, names: readonly SecretName[]): Promise<ReadonlySet<string>> {
  const [found] = await readForCaller(needs, caller, [selectWrites(needs.db, caller.org, scope, names)]);
  return new Set((await verifyRows(needs.keyring, "store_writes", rowsOf<StoreWriteRow>(found))).map(({ name }) => name));
}

/** The names that a refusal is about; none where it is about something else. */
function takenIn(error: unknown, writes: readonly Write[]): ReadonlyMap<string, LeftOutKey> {
  const named = (wanted: (name: string) => boolean, reason: LeftOutKey) =>
    new Map(writes.flatMap(({ row: { name } }) => (wanted(name) ? [[name, reason] as const] : [])));
  if (!(error instanceof Problem)) return new Map();
  const { members } = error;
  if (error.code === "name-locked") return named((name) => members?.locked?.includes(name) === true, "name-locked");
  if (error.code !== "env-name-conflict") return new Map();
  return named((name) => members?.errors?.some(({ pointer }) => pointer === `/secrets/${name}`) === true, "env-name-conflict");
}
