import { createCaller } from "../access/caller.ts";
import { takesSigner } from "../access/token-signer.ts";
import { unauthenticated } from "../access/verify-token.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { insertLoginCode, type LoginCodeRow, takeLoginCode } from "../store/session-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { readForCaller, runForCaller } from "../transaction/run-for-caller.ts";
import { writeWithinQuota } from "../transaction/write-within-quota.ts";
import type { Origin, SessionNeeds } from "./begin-session.ts";
import { type CodeFacts, openCode, type SessionFacts, sealCode } from "./sealed-facts.ts";
import { hashOf, newSessionSecret } from "./session-secret.ts";

/** For how long a code is good, in milliseconds. */
const VALID = 5 * 60_000;

/**
 * Makes a code that logs somebody in once, for what a token may.
 *
 * @param facts What the token said.
 * @param how In whose place it logs in, and from where.
 * @throws {Problem} `unauthenticated` when the token is not in force, `rate-limited`, `storage-unavailable`.
 */
export async function makeLoginCode(
  needs: SessionNeeds,
  origin: Origin,
  facts: SessionFacts,
  { replaces, arrived }: Pick<CodeFacts, "replaces" | "arrived">,
): Promise<string> {
  const caller = createCaller({ ...facts, ...origin });
  await readForCaller(needs, caller, []);
  const { db, keyring, now } = await allowSealing(needs);
  const code = newSessionSecret();
  const hash = await hashOf(code);
  const expiresAt = now.getTime() + VALID;
  const sealed = await sealCode(keyring, hash, { facts, expiresAt, replaces, arrived });
  const statements = insertLoginCode(db, { hash, sealed, expires_at: expiresAt }, now.getTime());
  await writeWithinQuota(needs, caller, { kept: [], made: 1 }, ({ before, after }) => runForCaller(needs, caller, [before, ...statements, after]));
  return code;
}

/**
 * Takes a code: whoever is first has it, and nobody after that.
 *
 * @throws {Problem} `unauthenticated` for one that is none, was taken, or is too old; `storage-unavailable`.
 */
export async function useLoginCode(needs: SessionNeeds, code: string): Promise<CodeFacts> {
  const { db, keyring, now } = needs;
  const hash = await hashOf(code);
  const [taken] = await runBatch(db, [takeLoginCode(db, hash)]);
  const [row] = rowsOf<LoginCodeRow>(taken);
  const found = row && (await openCode(keyring, hash, row.sealed));
  if (!found || found.expiresAt <= now.getTime() || !takesSigner(needs, found.facts.signer)) throw unauthenticated("no-token");
  return found;
}
