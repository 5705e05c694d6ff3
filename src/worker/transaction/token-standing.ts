import { storageUnavailable } from "../../contract/problem.ts";
import type { SomeQuotas } from "../../contract/quota.ts";
import type { Caller } from "../access/caller.ts";
import { unauthenticated } from "../access/verify-token.ts";
import type { Keyring } from "../envelope/keyring.ts";
import type { QuotaRow } from "../store/quota-rows.ts";
import type { RevocationKind, RevocationRow, StandingRow, TokenMarks } from "../store/revocation-rows.ts";
import type { TokenRow } from "../store/token-rows.ts";
import { requireLatest } from "./last-revocation.ts";
import { ownQuotas } from "./own-quotas.ts";
import { verifyRow, verifyRows } from "./verify-row.ts";

/** What was found, and verified, of a caller's token: it is in force. */
export interface Standing {
  /** The seal of the token's own row, or `null` where it has no row or the row no seal. */
  readonly tokenSeal: string | null;
  /** The quotas that its organization has of its own. */
  readonly quotas: SomeQuotas;
}

/** A trust's revision, as tokens carry it that were exchanged under it. No token's id has a colon. */
const TRUST = "trust:";

/** What revocations go by, of a caller's token; `null` for a caller that came without one. */
export function tokenMarks({ org, tokenId, lineage }: Caller): TokenMarks | null {
  if (tokenId === null || lineage === null) return null;
  const { reference, ancestors, issuer, subject, issuedAt } = lineage;
  // One of our own without a row may live for longer than a revocation of what has one is kept.
  const lasting = ancestors === null && !reference.startsWith("[") ? [JSON.stringify([issuer, reference])] : [];
  const ids = [reference, ...lasting, ...(ancestors ?? [])];
  const kindOf = (id: string): RevocationKind => (id.startsWith(TRUST) ? "trust-revision" : "id");
  const marks = [...ids.map((id) => [kindOf(id), id] as const), ["subject", JSON.stringify([issuer, subject])] as const];
  return { org, id: tokenId, has_row: ancestors !== null, marks, issued_at: issuedAt };
}

/**
 * Judges a token by what D1 has of it: SQL says which rows these are, and here each is believed only with its seal.
 *
 * @throws {Problem} `unauthenticated` when it is not in force, `integrity-failed` when a row that decides is not what was
 *   written, `storage-unavailable` when this isolate has seen later revocations than D1 shows, or a restore is under way
 *   and the call is not a part of it.
 */
export async function judgeStanding(keyring: Keyring, marks: TokenMarks, found: StandingRow | undefined, within: "a restore" | null = null): Promise<Standing> {
  if (!found) throw storageUnavailable("The metadata store did not say whether the token is in force.");
  // What takes a token out of force may not be here yet.
  if (found.restoring === 1 && within === null) throw storageUnavailable("The deployment is being restored: until that is over, it answers nothing else.");
  const token = found.token === null ? null : await verifyRow(keyring, "tokens", JSON.parse(found.token) as TokenRow);
  const revocations = await verifyRows(keyring, "revocations", JSON.parse(found.revocations) as RevocationRow[]);
  const last = found.last === null ? null : await verifyRow(keyring, "revocations", JSON.parse(found.last) as RevocationRow);
  const quotas = await ownQuotas(keyring, found.quotas === null ? undefined : (JSON.parse(found.quotas) as QuotaRow));
  requireLatest(marks.org, last?.n ?? 0);
  if (revocations.length > 0 || (token?.revoked_at ?? null) !== null) throw unauthenticated("revoked");
  if (marks.has_row && token === null) throw unauthenticated("no-row");
  return { tokenSeal: token?.seal ?? null, quotas };
}
