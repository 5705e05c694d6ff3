import { boundTarget } from "../audit/bound-target.ts";
import type { RecordedTable, RowEvent } from "../audit/row-events.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { isSealOf } from "../envelope/row-seal.ts";
import type { RowKey, SealedCells } from "../store/integrity-rows.ts";
import { TOKEN_KEPT } from "../store/token-rows.ts";
import { brokenRow, SEAL_FORMATS } from "../transaction/verify-row.ts";
import type { Entry } from "./inventory-page.ts";

/** What is wrong with a row: it was taken away, put back, or is an older one. No event says why. */
export type RowFault = "missing" | "returned" | "changed";

/** What there is to judge a row by. */
export interface RowCase {
  readonly table: RecordedTable;
  readonly key: RowKey;
  readonly org: string;
  /** What is on record. */
  readonly entry: Entry | undefined;
  /** What D1 has. */
  readonly row: SealedCells | undefined;
  /** The last event about it since that was put on record. */
  readonly event: RowEvent | undefined;
  /** A person has said that rows are what they are now. */
  readonly accepted: boolean;
  readonly now: number;
}

/** What is on record from now on, and what is wrong. */
export interface JudgedRow {
  readonly entry: Entry | undefined;
  readonly fault: RowFault | null;
}

const GONE: ReadonlySet<string> = new Set(["secret.purge", "trust.delete", "service.delete", "store.delete", "webhook.delete", "scope.delete"]);
/** What an event of these says of a secret's version is which one is current, and that it is there. */
const NAMES_CURRENT: ReadonlySet<string> = new Set(["secret.create", "secret.update", "secret.rollback", "secret.import", "secret.undelete"]);

/** Judges a row by what is on record of it, and by what was done since. What is wrong stays on record as it should be. */
export async function judgeRow(keyring: Keyring, { accepted, ...one }: RowCase): Promise<JudgedRow> {
  // Without a seal it counts for nothing, or waits for a person to confirm it: that is another finding.
  if (one.row?.seal === null && (!one.entry || one.event)) return { entry: undefined, fault: null };
  const now = one.row && entryOf(one.table, one.row);
  if (accepted) return { entry: now, fault: null };
  return one.event && speaksStill(one, one.event) ? judgeByEvent(one, one.event, now) : judgeByEntry(keyring, one, now);
}

type Case = Omit<RowCase, "accepted">;

/** A token that was made so long ago and is not on record has been forgotten: that is no event. */
function speaksStill({ table, entry, now }: Case, { at }: RowEvent): boolean {
  return table !== "tokens" || entry !== undefined || now - at < TOKEN_KEPT;
}

function judgeByEvent({ table, key, org, entry, row, now }: Case, event: RowEvent, current: Entry | undefined): JudgedRow {
  if (GONE.has(event.action)) return { entry: undefined, fault: row ? "returned" : null };
  // What was deleted is kept for a while, or not at all where the deployment says so: without it nothing has a value.
  if (event.action === "secret.delete" && (!row || row.deleted_at === null)) return { entry: undefined, fault: row ? "returned" : null };
  if (!row || !current) {
    const until = table === "tokens" ? (entry?.until ?? event.at + TOKEN_KEPT) : null;
    if (until !== null && until <= now) return { entry: undefined, fault: null };
    // What the row was is not known: whatever has a seal may come back.
    return { entry: { key: [...key], org, seal: null, not: false, until }, fault: "missing" };
  }
  return says(event, row, table) ? { entry: current, fault: null } : { entry: { ...current, not: true }, fault: "changed" };
}

/** Whether a row is what an event says, as far as it does. */
function says({ action, target, version }: RowEvent, row: SealedCells, table: RecordedTable): boolean {
  if (table === "scope_stores") return target === boundTarget({ scope: String(row.scope), store: String(row.store), prefix: String(row.prefix) });
  if (action === "scope.put") return target === `${row.scope} under ${row.parent}`;
  return !NAMES_CURRENT.has(action) || (version === row.version && row.deleted_at === null);
}

async function judgeByEntry(keyring: Keyring, { table, entry, row, now }: Case, current: Entry | undefined): Promise<JudgedRow> {
  if (!entry) return { entry: undefined, fault: row ? "returned" : null };
  if (!row || !current) return entry.until !== null && entry.until <= now ? { entry: undefined, fault: null } : { entry, fault: "missing" };
  if (await isOnRecord(keyring, table, entry, row)) return { entry: current, fault: null };
  return { entry, fault: table === "secrets" && entry.until !== null && row.deleted_at === null ? "returned" : "changed" };
}

/** Whether a row has the content that is on record: it may have been sealed anew since. */
async function isOnRecord(keyring: Keyring, table: RecordedTable, { seal, not }: Entry, row: SealedCells): Promise<boolean> {
  if (seal === null) return true;
  // Under a key that is gone nothing can be told; and what it sealed is not believed any more.
  const same = row.seal === seal || (row.seal !== null && ((await isSealOf(keyring, SEAL_FORMATS[table], row, seal)) ?? !not));
  return same !== not;
}

/** A row as it is put on record. */
export function entryOf(table: RecordedTable, row: SealedCells): Entry {
  const until = table === "tokens" ? Number(row.expires_at) : table === "secrets" ? ((row.deleted_until ?? null) as number | null) : null;
  return { key: [...brokenRow(table, row).key], org: row.org, seal: row.seal, not: false, until };
}
