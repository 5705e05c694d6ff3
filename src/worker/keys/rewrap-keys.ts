import type { KeysReply, RewrapReply } from "../../contract/keys.ts";
import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { OpenError } from "../envelope/open.ts";
import { rewrap } from "../envelope/rewrap.ts";
import { selectWrappedArchives, type WrappedArchive } from "../store/archive-keys.ts";
import { quarantineWrapped, type Rewrapped, replaceWrapped, selectWrapped, type WrappedRow } from "../store/key-rows.ts";
import { KEY_NUMBERS, type KeyNumbers, type KeyUse, selectKeyUse } from "../store/key-use.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import type { SealingKeyring } from "../transaction/allow-sealing.ts";
import { readForCaller, runForCaller } from "../transaction/run-for-caller.ts";
import { type Budget, workInBatches } from "../transaction/work-in-batches.ts";
import { checkKeys, checkKeysOnce, type KeyFaults, soundKeyring } from "./check-keys.ts";
import { rewrapArchives } from "./rewrap-archives.ts";

/** How many data keys of each sort one call wraps anew, and one batch of a run. */
const BATCH = 200;
const NOTHING_LEFT = { done: 0, more: false } as const;
/** A version whose data key does not unwrap stays in quarantine for this long, in milliseconds. */
const RETRY_AFTER = 3_600_000;

type Needs = { readonly db: D1Database; readonly keyring: Keyring; readonly now: Date };
type CallerNeeds = Needs & { readonly platformOrg: string | null };

/**
 * What is under each key of the keyring, or still under one that it lacks. The operator's own
 * organization sees those of the whole deployment, any other one its own.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listKeys({ db, keyring, platformOrg }: CallerNeeds, caller: Caller): Promise<KeysReply> {
  caller.require("keys:read");
  const org = seenBy(caller, platformOrg);
  const [[found], faults] = await Promise.all([readForCaller({ db, keyring }, caller, [selectKeyUse(db, org)]), checkKeys({ db, keyring })]);
  const uses = usesOf(keyring, rowsOf<KeyUse>(found));
  const ids = [...new Set([...keyring.keys.keys(), ...keyring.faults.keys(), ...uses.keys()])].sort();
  return {
    counted: org === null ? "deployment" : "organization",
    keys: ids.map((id) => ({ id, current: id === keyring.current, ...(uses.get(id) ?? NOTHING), available: isAvailable(keyring, faults, id) })),
  };
}

/**
 * Wraps a batch of data keys that are under older keys under the current one, now instead of in the next scheduled run.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function rewrapKeys(needs: CallerNeeds, caller: Caller): Promise<RewrapReply> {
  caller.require("keys:write");
  const { db, keyring, platformOrg, now } = needs;
  await runForCaller({ db, keyring }, caller, [insertEvent(db, { actor: caller, action: "keys.rewrap", outcome: "allowed", at: now }, [])]);
  const org = seenBy(caller, platformOrg);
  const { done: rewrapped } = await rewrapBatch(needs, org);
  const [left] = await readForCaller({ db, keyring }, caller, [selectKeyUse(db, org)]);
  const remaining = rowsOf<KeyUse>(left).reduce((sum, { key_id, versions, archives }) => sum + (key_id === keyring.current ? 0 : versions + archives), 0);
  return { rewrapped, remaining };
}

const NOTHING = Object.fromEntries(KEY_NUMBERS.map((name) => [name, 0])) as unknown as KeyNumbers;

/** What is under each key, by its id: seals name it by its fingerprint. One that the keyring lacks keeps the name that it has there. */
function usesOf({ seals: { ids } }: Keyring, rows: readonly KeyUse[]): ReadonlyMap<string, KeyNumbers> {
  const uses = new Map<string, KeyNumbers>();
  for (const { key_id, ...numbers } of rows) {
    const id = ids.get(key_id) ?? key_id;
    const before = uses.get(id) ?? NOTHING;
    uses.set(id, Object.fromEntries(KEY_NUMBERS.map((name) => [name, before[name] + numbers[name]])) as unknown as KeyNumbers);
  }
  return uses;
}

/** Whether values under a key can be opened, or some of them. */
function isAvailable({ keys }: Keyring, faults: KeyFaults, id: string): boolean {
  return keys.has(id) && faults.get(id) !== "wrong";
}

/**
 * Wraps data keys under the current key, the oldest first, whose they are: the older key can go only when nothing is under it any more.
 * Returns how many.
 *
 * @param needs.budget How much to do; without one all that there is.
 */
export async function rewrapAll(needs: Needs & { readonly budget?: Budget | undefined }, keyFaults = checkKeysOnce(needs)): Promise<number> {
  let rewrapped = 0;
  await workInBatches(needs.budget, async () => {
    const { done, more } = await rewrapBatch(needs, null, keyFaults);
    rewrapped += done;
    return more;
  });
  return rewrapped;
}

/**
 * Wraps a batch of data keys of an organization, or of all for `null`, under the current key. Says how many, and whether
 * there may be more. It is not done to a current key that another one has the id of, nor from a key that is not the one its id stands for.
 */
async function rewrapBatch(
  { db, keyring, now }: Needs,
  org: string | null,
  keyFaults = checkKeysOnce({ db, keyring }),
): Promise<{ done: number; more: boolean }> {
  const select = async (ids: readonly string[], limit: number) => {
    if (ids.length === 0) return { versions: [], archives: [] };
    const which = [ids, org, now.getTime(), limit] as const;
    const [versions, archives] = await runBatch(db, [selectWrapped(db, ...which), selectWrappedArchives(db, ...which)]);
    return { versions: rowsOf<WrappedRow>(versions), archives: rowsOf<WrappedArchive>(archives) };
  };
  const others = [...keyring.keys.keys()].filter((id) => id !== keyring.current);
  const some = await select(others, 1);
  if (some.versions.length + some.archives.length === 0) return NOTHING_LEFT;
  const faults = await keyFaults();
  const sealing = soundKeyring(keyring, faults);
  if (!sealing) return NOTHING_LEFT;
  const { versions, archives } = await select(
    others.filter((id) => faults.get(id) !== "wrong"),
    BATCH,
  );
  const results = await Promise.all(versions.map((row) => rewrapRow(sealing, row)));
  const done = results.filter((result) => "was" in result);
  const failed = results.filter((result) => !("was" in result));
  const retryAt = now.getTime() + RETRY_AFTER;
  if (results.length > 0) await runBatch(db, [replaceWrapped(db, done), quarantineWrapped(db, failed, retryAt)]);
  const more = versions.length === BATCH || archives.length === BATCH;
  return { done: done.length + (await rewrapArchives({ db, keyring: sealing }, archives, retryAt)), more };
}

async function rewrapRow(keyring: SealingKeyring, { secret_id, version, key_id, wrapped_key }: WrappedRow): Promise<Rewrapped | Omit<WrappedRow, "key_id">> {
  try {
    const { wrappedKey, keyId } = await rewrap(keyring, { wrappedKey: wrapped_key, keyId: key_id });
    return { secret_id, version, was: wrapped_key, key_id: keyId, wrapped_key: wrappedKey };
  } catch (error) {
    if (error instanceof OpenError) return { secret_id, version, wrapped_key };
    throw error;
  }
}

function seenBy({ org }: Caller, platformOrg: string | null): string | null {
  return org === platformOrg ? null : org;
}
