import { judgeHead } from "../../contract/judge-log.ts";
import { type ArchiveRow, insertArchive, markArchivePut } from "../audit/archives.ts";
import { ARCHIVED_EVENTS, type DueLog, selectDueLogs } from "../audit/due-archives.ts";
import { markSeen } from "../audit/marks.ts";
import type { StretchRows } from "../audit/stretches.ts";
import { seal } from "../envelope/seal.ts";
import { putCiphertext } from "../store/ciphertexts.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { requireChanges } from "../store/secret-rows.ts";
import { allowSealing, type SealingKeyring } from "../transaction/allow-sealing.ts";
import { newId } from "../transaction/new-id.ts";
import { sealFor } from "../transaction/verify-row.ts";
import { stretchBody, writeArchive } from "./archive-body.ts";
import { ARCHIVED_CHECKPOINTS, ARCHIVED_SIZE, type ArchivedEvents, type ArchiveNeeds, type Attempt } from "./archive-needs.ts";
import { compress } from "./compress.ts";
import { isAsSealed } from "./is-as-sealed.ts";
import { LogError, readReplaceableHead } from "./log-head.ts";
import { readStretches } from "./read-stretches.ts";
import { entriesOf } from "./registry.ts";
import { takeTurns } from "./take-turns.ts";

const DAY = 86_400_000;
/** How many logs come in one round. */
const LOGS = 10;

/** Puts what is due of logs into KV, an object of each. It stays in D1 until that has been read back. */
export async function beginArchives(needs: ArchiveNeeds, attempt: Attempt): Promise<void> {
  const { db, now } = needs;
  const select = async (except: string) => {
    const [found] = await runBatch(db, [selectDueLogs(db, { before: dueBefore(needs), now: now.getTime(), except }, LOGS)]);
    const logs = rowsOf<DueLog>(found);
    return { logs, full: logs.length === LOGS };
  };
  await takeTurns(needs, { job: "archive", select, work: (log) => attempt(log.org, async () => beginArchive(await allowSealing(needs), log)) });
}

function dueBefore({ hotDays, now }: ArchiveNeeds): number {
  return now.getTime() - hotDays * DAY;
}

async function beginArchive(needs: ArchiveNeeds & { readonly keyring: SealingKeyring }, log: DueLog): Promise<Partial<ArchivedEvents>> {
  const { db, kv, keyring, now } = needs;
  const { org } = log;
  const stretches = await readSealed(needs, log);
  if (stretches.length === 0 || !(await isBehind(needs, log, stretches))) return {};
  const kv_key = newId("a");
  const cells = { ...describe(stretches), org, kv_key, created_at: now.getTime() };
  const { ciphertext, wrappedKey, keyId } = await seal(keyring, cells, await compress(await writeArchive(stretches.map(stretchBody), needs.budget)));
  const row: ArchiveRow = { ...cells, key_id: keyId, wrapped_key: wrappedKey, kv_put_at: null, seal: await sealFor(keyring, "audit_archives", cells) };
  // The key is noted before it is put, so that nothing is in KV of which D1 does not know.
  await runBatch(db, [insertArchive(db, row), requireChanges(db, 1)]);
  await putCiphertext(kv, kv_key, ciphertext);
  const seen = { org, done: 0, to: cells.last_seq };
  await runBatch(db, [markArchivePut(db, row, now.getTime()), markSeen(db, "archive", [seen], now.getTime())]);
  return { put: stretches.reduce((sum, stretch) => sum + stretch.events.length, 0) };
}

/** What of a log one object has: the first stretches that are due and as they were sealed. Who signed them the chain shows, there as here. */
async function readSealed(needs: ArchiveNeeds, log: DueLog): Promise<readonly StretchRows[]> {
  const { org, from, to } = log;
  const stretches: StretchRows[] = [];
  for await (const some of readStretches(needs.db, { org, after: from - 1, to })) {
    const all = [...stretches, ...some];
    const fitting = all.slice(0, Math.min(endOfDue(needs, log, all), endOfRoom(all)));
    const sealed = await countSealed(needs, org, fitting.slice(stretches.length));
    if (sealed === 0 && stretches.length === 0 && fitting.length > 0) throw new LogError("a stretch that is to be archived is not what was sealed");
    stretches.push(...some.slice(0, sealed));
    if (stretches.length < all.length) break;
  }
  return stretches;
}

/** How many of them are due, of one day, that the digest has gone through, and are not the log's end. */
function endOfDue(needs: ArchiveNeeds, { last, digested }: DueLog, stretches: readonly StretchRows[]): number {
  const before = Math.min(dueBefore(needs), (stretches[0]?.checkpoint.last_at ?? 0) + DAY + 1);
  const end = stretches.findIndex(
    ({ checkpoint }, n) =>
      checkpoint.last_at >= before ||
      checkpoint.number >= last ||
      checkpoint.last_seq > digested ||
      checkpoint.number !== (stretches[0]?.checkpoint.number ?? 0) + n,
  );
  return end === -1 ? stretches.length : end;
}

/** For how many of them one object has room. */
function endOfRoom(stretches: readonly StretchRows[]): number {
  let [events, size] = [0, 0];
  const end = stretches.findIndex((stretch, n) => {
    if (n >= ARCHIVED_CHECKPOINTS || events >= ARCHIVED_EVENTS || size >= ARCHIVED_SIZE) return true;
    events += stretch.events.length;
    size += stretch.events.reduce((sum, { secrets }) => sum + secrets.length, 0);
    return false;
  });
  return end === -1 ? stretches.length : end;
}

/** How many of them, from the first on, are as they were sealed. */
async function countSealed(needs: ArchiveNeeds, org: string, stretches: readonly StretchRows[]): Promise<number> {
  for (const [n, stretch] of stretches.entries()) {
    if (!(await isAsSealed(needs, org, stretchBody(stretch), "any key"))) return n;
  }
  return stretches.length;
}

/** Whether the head is signed, and nothing that is on record of the log names one of these checkpoints as its last. */
async function isBehind({ logKeys, keyring, registry }: ArchiveNeeds, { org, head: jws }: DueLog, stretches: readonly StretchRows[]): Promise<boolean> {
  const head = await readReplaceableHead(logKeys, org, jws);
  if (!head) throw new LogError("the head of a log is not what was signed");
  const entries = registry ? await entriesOf(registry, keyring, org) : [];
  if (entries.some((entry) => judgeHead(entry, head) !== null)) throw new LogError("a log is not as far as it is on record to have been");
  const last = stretches.at(-1)?.checkpoint.number ?? 0;
  return entries.every(({ number }) => number > last);
}

function describe(stretches: readonly StretchRows[]) {
  const checkpoints = stretches.map(({ checkpoint }) => checkpoint);
  const events = stretches.flatMap((stretch) => stretch.events);
  const [first] = checkpoints;
  const last = checkpoints.at(-1);
  if (!first || !last) throw new Error("an archive without stretches");
  return {
    first_number: first.number,
    last_number: last.number,
    first_seq: first.first_seq,
    last_seq: last.last_seq,
    first_at: events.reduce((least, { at }) => Math.min(least, at), Number.MAX_SAFE_INTEGER),
    last_at: events.reduce((most, { at }) => Math.max(most, at), 0),
    others: events.filter(({ action }) => action !== "audit.retention").length,
  };
}
