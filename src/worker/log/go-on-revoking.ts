import type { Keyring } from "../envelope/keyring.ts";
import { floorValue, insertRevocations, type RevocationRow } from "../store/revocation-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { sealFor, verifyRow } from "../transaction/verify-row.ts";

/**
 * How many numbers of revocations are left out at the least. Isolates may have seen some that were on record nowhere else,
 * and answer nothing until there is one that is later.
 */
const LEFT_OUT = 1_000_000;

interface Needs {
  readonly db: D1Database;
  readonly keyring: Keyring;
  readonly now: Date;
}

/** The revocations of an organization that a restore has set back. */
interface SetBack {
  readonly org: string;
  readonly firstRevocation: RevocationRow | undefined;
  readonly lastRevocation: RevocationRow | undefined;
  /** The last one that is on record elsewhere; 0 for none. */
  readonly recorded: number;
  /** Whether every token that was given out so far is out of force: what was revoked cannot be told any more. */
  readonly endTokens: boolean;
}

/** The statements by which an organization's revocations go on after all that there can have been, and the last number. */
export async function goOnRevoking(needs: Needs, { org, firstRevocation, lastRevocation, recorded, endTokens }: SetBack) {
  const { db, keyring, now } = await allowSealing(needs);
  const after = lastRevocation ? (await verifyRow(keyring, "revocations", lastRevocation)).n : 0;
  const n = Math.max(after, recorded) + LEFT_OUT;
  const floor = floorValue(firstRevocation ? { lowest: firstRevocation.n, after } : { lowest: n, after: null });
  const rows = [
    { org, n, kind: "floor", value: floor, at: now.getTime() } as const,
    ...(endTokens ? [{ org, n: n + 1, kind: "before", value: String(Math.floor(now.getTime() / 1000)), at: now.getTime() } as const] : []),
  ];
  const sealed = await Promise.all(rows.map(async (row) => ({ ...row, seal: await sealFor(keyring, "revocations", row) })));
  return { statements: insertRevocations(db, org, after, sealed), last: n + rows.length - 1 };
}
