import { invalid } from "../../contract/problem.ts";
import type { CreateRevocationBody } from "../../contract/revocation.ts";
import type { Caller } from "../access/caller.ts";
import { insertEvent } from "../audit/insert-event.ts";
import type { RevocationRow } from "../store/revocation-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { selectFamily, selectMintedAfter, selectMintedBy, selectToken, type TokenRow } from "../store/token-rows.ts";
import { requireLatest } from "../transaction/last-revocation.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRow } from "../transaction/verify-row.ts";
import { type QuotaNeeds, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { fromColumns } from "./grant-columns.ts";
import { requireMayRevoke } from "./may-revoke.ts";
import { covers, type PlannedEnd, planEnd, selectEnding, writeRevocations } from "./plan-revocation.ts";
import { trustOfRevision } from "./trust-parent.ts";
import type { Revoked } from "./with-trusts.ts";

/** What revoking needs. */
export interface RevokeNeeds extends QuotaNeeds {
  /** This deployment, as an issuer. */
  readonly issuer: string;
}

/** A revocation that was made, or was there already. */
export interface MadeRevocation {
  readonly row: RevocationRow;
  /** The names of the trusts that were suspended by it. */
  readonly suspended: readonly string[];
}

/** What was issued until so long ago is everything, as good as. In milliseconds. */
const EVERYTHING = 60_000;

/**
 * Takes out of force a token by its id, whether it has a row or not, all tokens of a subject, or all that were issued until
 * a time; with what descends from them, and the trusts that were made under them. What is revoked already stays as it is.
 *
 * Beyond the quota of revocations it is refused, but for a token of the list, and for all that were issued until just now:
 * so there is always a way to end what has to end.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `quota-exceeded`, `integrity-failed`, `storage-unavailable`.
 */
export async function createRevocation(needs: RevokeNeeds, caller: Caller, body: CreateRevocationBody): Promise<MadeRevocation> {
  caller.require("tokens:write");
  const meaning = meant(body, needs);
  const made = await revoke(needs, caller, meaning);
  const late = meaning.revoked.kind === "id" ? [] : await endLate(needs, caller, meaning);
  return { row: made.row, suspended: [...made.suspended, ...suspendedBy(late)] };
}

/** What is to be revoked, and what the audit log calls it. */
interface Meaning {
  readonly revoked: Revoked;
  readonly target: string;
}

/**
 * Takes something out of force, with what descends from it. Anything but the caller's own token must be within its grant.
 *
 * @throws {Problem} `forbidden`, `quota-exceeded`, `integrity-failed`, `storage-unavailable`.
 */
export function revoke(needs: RevokeNeeds, caller: Caller, { revoked, target }: Meaning): Promise<MadeRevocation> {
  const { db, keyring, now, issuer } = needs;
  const id = revoked.kind === "id" ? revoked.value : "";
  return retryWhenChanged(async () => {
    const [found, below, ...ending] = await readForCaller(needs, caller, [
      selectToken(db, caller.org, id),
      selectBelow(needs, caller.org, revoked),
      ...selectEnding(db, caller.org),
    ]);
    const [row] = rowsOf<TokenRow>(found);
    const isOwn = id !== "" && id === caller.lineage?.reference;
    if (!isOwn) requireMayRevoke(caller, row && fromColumns(await verifyRow(keyring, "tokens", row)));
    // By its id alone it would be forgotten when what has a row must have expired.
    const lasting = revoked.kind === "id" && !row && !id.startsWith("[") ? [{ id: JSON.stringify([issuer, id]) }] : [];
    const planned = await planEnd(needs, caller.org, ending, withBelow(revoked, [...lasting, ...rowsOf<{ id: string }>(below)]));
    const made = [...planned.rows, ...planned.covering].find((each) => covers(each, revoked));
    if (!made) throw new Error("a revocation was planned without a row");
    const always = row !== undefined || (revoked.kind === "before" && Number(revoked.value) * 1000 > now.getTime() - EVERYTHING);
    if (planned.rows.length > 0) await write(needs, caller, planned, { target, always });
    return { row: made, suspended: suspendedBy(planned.rows) };
  });
}

async function write(needs: RevokeNeeds, caller: Caller, planned: PlannedEnd, { target, always }: { target: string; always: boolean }): Promise<void> {
  const recorded = { action: "token.revoke", secrets: [], target } as const;
  if (always) return writeRevocations(needs, caller, planned, [], recorded);
  await writeWithinQuota(needs, caller, { kept: ["revocations"], made: 0 }, ({ before, after }) =>
    writeRevocations(needs, caller, { ...planned, statements: [before, ...planned.statements] }, [after], recorded),
  );
}

/**
 * Ends what was minted while a revocation was made: it was not read with the rest. Nothing more comes, because whoever minted
 * it may not any more; nor may the caller, if its own token has ended with it, so it is not asked again whether it may.
 */
function endLate(needs: RevokeNeeds, caller: Caller, { revoked, target }: Meaning): Promise<readonly RevocationRow[]> {
  const { db, now } = needs;
  const { org } = caller;
  return retryWhenChanged(async () => {
    const [below, ...ending] = await runBatch(db, [selectBelow(needs, org, revoked), ...selectEnding(db, org)]);
    const { rows, statements, last } = await planEnd(needs, org, ending, withBelow(revoked, rowsOf<{ id: string }>(below)));
    if (rows.length === 0) return [];
    await runBatch(db, [...statements, insertEvent(db, { actor: caller, action: "token.revoke", outcome: "allowed", at: now, target }, [])]);
    requireLatest(org, last);
    return rows;
  });
}

function withBelow(revoked: Revoked, below: readonly { readonly id: string }[]): Revoked[] {
  return [revoked, ...below.map(({ id: value }) => ({ kind: "id" as const, value }))];
}

function suspendedBy(rows: readonly RevocationRow[]): string[] {
  return rows.flatMap(({ kind, value }) => (kind === "trust-revision" ? [trustOfRevision(value)] : []));
}

/** Selects the ids of the tokens that end with a revocation and do not say so by themselves. */
function selectBelow({ db, issuer }: RevokeNeeds, org: string, { kind, value }: Revoked): D1PreparedStatement {
  if (kind === "before") return selectMintedAfter(db, org, Number(value));
  if (kind !== "subject") return selectFamily(db, org, value);
  const [whose, subject] = JSON.parse(value) as [string, string];
  return selectMintedBy(db, org, subject, whose === issuer ? null : whose);
}

function meant({ token_id, subject, issued_before, issuer }: CreateRevocationBody, needs: RevokeNeeds): Meaning {
  const foreign = issuer === undefined || issuer === needs.issuer ? undefined : issuer;
  if (token_id !== undefined) {
    const value = foreign === undefined ? token_id : JSON.stringify([foreign, token_id]);
    return { revoked: { kind: "id", value }, target: value };
  }
  if (subject !== undefined) {
    const value = JSON.stringify([foreign ?? needs.issuer, subject]);
    return { revoked: { kind: "subject", value }, target: `subject:${value}` };
  }
  const until = Math.floor(Date.parse(issued_before ?? "") / 1000);
  if (until * 1000 > needs.now.getTime()) throw invalid("/issued_before", "a time in the future: tokens that nobody has yet would be revoked");
  return { revoked: { kind: "before", value: String(until) }, target: `issued-before:${new Date(until * 1000).toISOString()}` };
}
