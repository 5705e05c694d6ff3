import { createCaller } from "../access/caller.ts";
import { takesSigner } from "../access/token-signer.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { insertLoginCode, type LoginCodeRow, takeLoginCode } from "../store/session-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { writeWithinQuota } from "../transaction/write-within-quota.ts";
import type { Origin, SessionNeeds } from "./begin-session.ts";
import { type GrantedFacts, openGranted, type SessionFacts, sealGranted } from "./sealed-facts.ts";
import { hashOf, newSessionSecret } from "./session-secret.ts";

/** For how long a code is good, in milliseconds: the program that waits for it takes it at once (RFC 6749, section 4.1.2). */
const VALID = 60_000;

/** What a program asks for, and proves itself by. */
export type CodeRequest = Pick<GrantedFacts, "challenge" | "redirectUri">;

/**
 * Makes an authorization code: for what a session may, once, and for whoever has the verifier of the challenge.
 *
 * @throws {Problem} `unauthenticated` when the session's token is not in force, `rate-limited`, `storage-unavailable`.
 */
export async function makeAuthorizationCode(needs: SessionNeeds, origin: Origin, facts: SessionFacts, request: CodeRequest): Promise<string> {
  const caller = createCaller({ ...facts, ...origin });
  const { db, keyring, now } = await allowSealing(needs);
  const code = newSessionSecret();
  const hash = await hashOf(code);
  const expiresAt = now.getTime() + VALID;
  const sealed = await sealGranted(keyring, hash, { ...request, facts, expiresAt });
  const statements = insertLoginCode(db, { hash, sealed, expires_at: expiresAt }, now.getTime());
  await writeWithinQuota(needs, caller, { kept: [], made: 1 }, ({ before, after }) => runForCaller(needs, caller, [before, ...statements, after]));
  return code;
}

/**
 * Takes an authorization code: whoever is first has it, and nobody after that, whether it was theirs or not.
 *
 * @param verifier What PKCE's challenge was made of.
 * @returns `undefined` for a code that is none, was taken, is too old, was sent elsewhere, or is another one's.
 * @throws {Problem} `storage-unavailable`.
 */
export async function takeAuthorizationCode(
  needs: SessionNeeds,
  { code, redirectUri, verifier }: { readonly code: string; readonly redirectUri: string; readonly verifier: string },
): Promise<SessionFacts | undefined> {
  const hash = await hashOf(code);
  const [taken] = await runBatch(needs.db, [takeLoginCode(needs.db, hash)]);
  const [row] = rowsOf<LoginCodeRow>(taken);
  const granted = row && (await openGranted(needs.keyring, hash, row.sealed));
  if (!granted || granted.expiresAt <= needs.now.getTime() || !takesSigner(needs, granted.facts.signer)) return undefined;
  // The challenge is the verifier's SHA-256 in base64url, as hashes are here.
  if (granted.redirectUri !== redirectUri || granted.challenge !== (await hashOf(verifier))) return undefined;
  return granted.facts;
}
