import { takesSigner } from "../access/token-signer.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { extendSession, type SessionRow, selectSession } from "../store/session-rows.ts";
import { IDLE, type SessionNeeds } from "./begin-session.ts";
import { openSession, type Session, sealSession } from "./sealed-facts.ts";
import { hashOf } from "./session-secret.ts";

/** A session that is open. */
export interface OpenSession extends Session {
  readonly hash: string;
}

/** How often at the most a session is written because it is used, in milliseconds. */
const WRITTEN = 60_000;

/**
 * Finds the session of a secret, which lasts longer for it. Whether its token is in force is for each verb to ask.
 *
 * @returns `undefined` where it has ended, or there never was one, and where what signed its token signs no more.
 * @throws {Problem} `storage-unavailable`.
 */
export async function findSession(needs: SessionNeeds, secret: string): Promise<OpenSession | undefined> {
  const { db, keyring, now } = needs;
  const hash = await hashOf(secret);
  const [found] = await runBatch(db, [selectSession(db, hash)]);
  const [row] = rowsOf<SessionRow>(found);
  const session = row && (await openSession(keyring, hash, row.sealed));
  const at = now.getTime();
  if (!session || session.expiresAt <= at || session.idleUntil <= at) return undefined;
  if (!takesSigner(needs, session.facts.signer)) return undefined;
  const idleUntil = Math.min(at + IDLE, session.expiresAt);
  if (idleUntil - session.idleUntil < WRITTEN) return { ...session, hash };
  const extended = { ...session, idleUntil };
  await runBatch(db, [extendSession(db, { ...row, sealed: await sealSession(keyring, hash, extended), idle_until: idleUntil })]);
  return { ...extended, hash };
}
