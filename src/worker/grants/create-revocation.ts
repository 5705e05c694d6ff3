import { invalid } from "../../contract/problem.ts";
import type { CreateRevocationBody } from "../../contract/revocation.ts";
import type { Caller } from "../access/caller.ts";
import type { RevocationRow } from "../store/revocation-rows.ts";
import { rowsOf } from "../store/run-batch.ts";
import { selectFamily, selectMintedAfter, selectMintedBy, selectToken, type TokenRow } from "../store/token-rows.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { verifyRow } from "../transaction/verify-row.ts";
import { fromColumns } from "./grant-columns.ts";
import { requireMayRevoke } from "./may-revoke.ts";
import { planEnd, selectEnding, writeRevocations } from "./plan-revocation.ts";
import { trustOfRevision } from "./trust-parent.ts";
import type { Revoked } from "./with-trusts.ts";

/** What revoking needs. */
export interface RevokeNeeds extends CallerNeeds {
  readonly now: Date;
  /** This deployment, as an issuer. */
  readonly issuer: string;
}

/** A revocation that was made. */
export interface MadeRevocation {
  readonly row: RevocationRow;
  /** The names of the trusts that were suspended by it. */
  readonly suspended: readonly string[];
}

/**
 * Takes out of force a token by its id, whether it has a row or not, all tokens of a subject, or all that were issued until
 * a time; with what descends from them, and the trusts that were made under them.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `integrity-failed`, `storage-unavailable`.
 */
export async function createRevocation(needs: RevokeNeeds, caller: Caller, body: CreateRevocationBody): Promise<MadeRevocation> {
  caller.require("tokens:write");
  const { db, keyring, now } = needs;
  const { revoked, target } = meant(body, needs);
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
    const lasting = revoked.kind === "id" && !row && !id.startsWith("[") ? [JSON.stringify([needs.issuer, id])] : [];
    const ids = [...lasting, ...rowsOf<{ id: string }>(below).map((each) => each.id)];
    const all = [revoked, ...ids.map((value) => ({ kind: "id" as const, value }))];
    const planned = await planEnd({ db, keyring, now }, caller.org, ending, all);
    await writeRevocations(needs, caller, planned, [], { action: "token.revoke", secrets: [], target });
    const [first, ...others] = planned.rows;
    if (!first) throw new Error("a revocation was planned without a row");
    return { row: first, suspended: others.flatMap(({ kind, value }) => (kind === "trust-revision" ? [trustOfRevision(value)] : [])) };
  });
}

/** Selects the ids of the tokens that end with a revocation and do not say so by themselves. */
function selectBelow({ db, issuer }: RevokeNeeds, org: string, { kind, value }: Revoked): D1PreparedStatement {
  if (kind === "before") return selectMintedAfter(db, org, Number(value));
  if (kind !== "subject") return selectFamily(db, org, value);
  const [whose, subject] = JSON.parse(value) as [string, string];
  return selectMintedBy(db, org, subject, whose === issuer ? null : whose);
}

/** What a request means, and what the audit log calls it. */
function meant({ token_id, subject, issued_before, issuer }: CreateRevocationBody, needs: RevokeNeeds): { revoked: Revoked; target: string } {
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
