import { toBase64url } from "../../contract/base64url.ts";
import { Problem } from "../../contract/problem.ts";
import type { SealedReply, UnsealedReply } from "../../contract/seals.ts";
import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { KeyMissingError } from "../envelope/open.ts";
import { judgeSeal } from "../envelope/row-seal.ts";
import { chunks } from "../store/chunks.ts";
import { type Resealed, type RowKey, replaceSeals, type SealedCells, selectFailures, selectSealed, selectUnsealed } from "../store/integrity-rows.ts";
import { type EncryptedRow, type LegacyRow, replaceLegacy, selectLegacyOf } from "../store/legacy-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import { SEALED_TABLE_NAMES, type SealedTableName } from "../store/sealed-tables.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { brokenRow, SEAL_FORMATS, sealFor } from "../transaction/verify-row.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { encryptRow } from "./encrypt-legacy.ts";

/** How many rows of each table one call looks at. */
const BATCH = 100;

interface Needs extends CallerNeeds {
  readonly platformOrg: string | null;
  readonly now: Date;
}

/** A row that counts for nothing until somebody has confirmed it. */
interface Unsealed {
  readonly table: SealedTableName;
  readonly cells: SealedCells;
  /** The value of a secret that is still as another store had it. */
  readonly plaintext: LegacyRow | undefined;
}

/**
 * Lists rows without a seal of their own: from before there were seals, put there by hand, or bent. A person who knows
 * what should be there confirms them by the digest.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listUnsealed(needs: Needs, caller: Caller): Promise<UnsealedReply> {
  caller.require("keys:read");
  requireOperator(needs, caller, "keys:read");
  const { rows, more } = await readUnsealed(needs, caller);
  const shown = rows.map(({ table, cells: { seal, ...columns } }) => ({ table, org: String(columns.org), columns, broken: seal !== null }));
  return { rows: shown, digest: await digestOf(needs.keyring, rows), more };
}

/**
 * Seals exactly the rows that a digest names, as they were when it was made. Values that are still plaintext are
 * encrypted in the same transaction. It is an event of each organization whose rows they are.
 *
 * @throws {Problem} `forbidden`, `version-conflict` when the rows are not those any more, `storage-unavailable`.
 */
export async function sealRows(needs: Needs, caller: Caller, digest: string): Promise<SealedReply> {
  caller.require("keys:write");
  requireOperator(needs, caller, "keys:write");
  const { db, keyring } = await allowSealing(needs);
  const { rows, more } = await readUnsealed(needs, caller);
  if (rows.length === 0 || (await digestOf(keyring, rows)) !== digest)
    throw new Problem("version-conflict", "The rows without a seal are not the ones that this digest names; list them again.");
  const encrypted: EncryptedRow[] = [];
  const seals = new Map<SealedTableName, Resealed[]>(SEALED_TABLE_NAMES.map((table) => [table, []]));
  for (const { table, cells, plaintext } of rows) {
    const replaced = plaintext && (await encryptRow(keyring, plaintext));
    if (cells.kind === "plaintext" && !replaced) continue;
    if (replaced) encrypted.push(replaced);
    const sealed = replaced ? { ...cells, kind: "sealed" } : cells;
    seals.get(table)?.push({ key: brokenRow(table, cells).key, was: cells.seal, seal: await sealFor(keyring, table, sealed) });
  }
  const statements = [...seals].filter(([, some]) => some.length > 0).map(([table, some]) => replaceSeals(db, table, some));
  const others = [...new Set(rows.map(({ cells }) => cells.org))].filter((org) => org !== caller.org);
  const events = others.map((org) => {
    const event = { actor: { ...caller, org }, action: "keys.seal", outcome: "allowed", at: needs.now, target: digest } as const;
    return insertEvent(db, event, []);
  });
  await writeForCaller(needs, caller, [...chunks(encrypted).map((some) => replaceLegacy(db, some)), ...statements, ...events], {
    action: "keys.seal",
    secrets: [],
    target: digest,
  });
  return { sealed: [...seals.values()].flat().length, more };
}

/** A row may be any organization's: only who answers for all of them may say that it is right. */
function requireOperator({ platformOrg }: Needs, caller: Caller, permission: "keys:read" | "keys:write"): void {
  if (caller.org !== platformOrg)
    throw caller.refuse(permission, "Only the operator's own organization (PLATFORM_ORG) sees and seals rows of all organizations.");
}

async function readUnsealed(needs: Needs, caller: Caller): Promise<{ rows: Unsealed[]; more: boolean }> {
  const { db, keyring } = needs;
  const [failures, ...unsealed] = await readForCaller(needs, caller, [
    selectFailures(db, BATCH),
    ...SEALED_TABLE_NAMES.map((table) => selectUnsealed(db, table, BATCH + 1)),
  ]);
  const failed = rowsOf<{ table_name: SealedTableName; row_key: string }>(failures);
  const keysOf = (table: SealedTableName) => failed.filter(({ table_name }) => table_name === table).map(({ row_key }) => JSON.parse(row_key) as RowKey);
  const bent = await readForCaller(
    needs,
    caller,
    SEALED_TABLE_NAMES.map((table) => selectSealed(db, table, keysOf(table))),
  );
  const rows: Omit<Unsealed, "plaintext">[] = [];
  for (const [n, table] of SEALED_TABLE_NAMES.entries()) {
    const sealed = rowsOf<SealedCells>(bent[n]).filter(({ seal }) => seal !== null);
    const verdicts = await Promise.all(sealed.map((cells) => judgeSeal(keyring, SEAL_FORMATS[table], cells, cells.seal)));
    const broken = sealed.filter((_, i) => verdicts[i]?.outcome === "broken");
    rows.push(...[...rowsOf<SealedCells>(unsealed[n]).slice(0, BATCH), ...broken].map((cells) => ({ table, cells })));
  }
  const more = unsealed.some((result) => rowsOf(result).length > BATCH);
  return { rows: await withPlaintext(needs, caller, rows), more };
}

async function withPlaintext(needs: Needs, caller: Caller, rows: readonly Omit<Unsealed, "plaintext">[]): Promise<Unsealed[]> {
  const ids = rows.filter(({ table, cells }) => table === "secrets" && cells.kind === "plaintext").map(({ cells }) => String(cells.id));
  if (ids.length === 0) return rows.map((row) => ({ ...row, plaintext: undefined }));
  const [found] = await readForCaller(needs, caller, [selectLegacyOf(needs.db, ids)]);
  const values = new Map(rowsOf<LegacyRow>(found).map((value) => [value.secret_id, value]));
  return rows.map((row) => ({ ...row, plaintext: row.table === "secrets" ? values.get(String(row.cells.id)) : undefined }));
}

/** An HMAC: a plaintext is in it, and whoever sees the digest must not be able to try guesses. */
async function digestOf({ macs, current }: Keyring, rows: readonly Unsealed[]): Promise<string> {
  const key = macs.get(current)?.names;
  if (!key) throw new KeyMissingError(current);
  const text = JSON.stringify(rows.map(({ table, cells, plaintext }) => [table, cells, plaintext?.legacy_plaintext ?? null]));
  return toBase64url(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`unsealed rows ${text}`)));
}
