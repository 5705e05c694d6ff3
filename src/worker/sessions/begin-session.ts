import { createCaller } from "../access/caller.ts";
import type { SignerRules } from "../access/token-signer.ts";
import { deleteSession, insertSession } from "../store/session-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { type QuotaNeeds, writeWithinQuota } from "../transaction/write-within-quota.ts";
import { type Session, type SessionFacts, sealSession } from "./sealed-facts.ts";
import { hashOf, newSessionSecret } from "./session-secret.ts";

/** How long a session lasts that nobody uses, and one that is used, in milliseconds. */
export const IDLE = 30 * 60_000;
const LONGEST = 12 * 60 * 60_000;

/** What a session needs. */
export type SessionNeeds = QuotaNeeds & SignerRules;

/** Where a request comes from. */
export interface Origin {
  readonly requestId: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/** A session that has begun, and the secret by which it is known: nothing here keeps that. */
export interface BegunSession {
  readonly session: Session;
  readonly secret: string;
}

/**
 * Begins a session: for what a token may, and no longer than that is valid. It is on record.
 *
 * @param facts What the token said.
 * @param replaces The hash of a session that ends with it; `null` for none.
 * @throws {Problem} `unauthenticated` when the token is not in force, `rate-limited`, `storage-unavailable`.
 */
export async function beginSession(needs: SessionNeeds, origin: Origin, facts: SessionFacts, replaces: string | null): Promise<BegunSession> {
  const caller = createCaller({ ...facts, ...origin });
  await readForCaller(needs, caller, []);
  const { db, keyring, now } = await allowSealing(needs);
  const at = now.getTime();
  const expiresAt = Math.min(at + LONGEST, facts.expiresAt ?? Number.POSITIVE_INFINITY);
  const session: Session = { facts, expiresAt, idleUntil: Math.min(at + IDLE, expiresAt) };
  const secret = newSessionSecret();
  const hash = await hashOf(secret);
  const row = { hash, org: facts.org, sealed: await sealSession(keyring, hash, session), idle_until: session.idleUntil };
  const ended = replaces === null ? [] : [deleteSession(db, replaces)];
  await writeWithinQuota(needs, caller, { kept: [], made: 1 }, ({ before, after }) =>
    writeForCaller(needs, caller, [before, ...ended, ...insertSession(db, row, at), after], { action: "session.create", secrets: [] }),
  );
  return { session, secret };
}
