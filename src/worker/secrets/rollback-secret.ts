import type { Caller } from "../access/caller.ts";
import type { CurrentRow } from "../store/secret-rows.ts";
import { brokenRow, IntegrityProblem, type Verified } from "../transaction/verify-row.ts";
import type { SecretValue } from "./change.ts";
import { findVersion, versionNotFound } from "./find-version.ts";
import { changeById } from "./patch-secret.ts";
import type { Precondition } from "./precondition.ts";
import { readValue } from "./read-values.ts";
import type { Write, WriteNeeds } from "./write-secrets.ts";

/**
 * Makes an older value current again, as a new version; nobody reads it. It is sealed anew, because a ciphertext is
 * bound to its version's number.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `version-not-found`, `version-conflict`, `storage-unavailable`.
 */
export async function rollbackSecret(needs: WriteNeeds, caller: Caller, id: string, version: number, precondition: Precondition): Promise<Write> {
  caller.require("secrets:write");
  return changeById(needs, caller, id, precondition, "secret.rollback", async (current) => ({ value: await readVersion(needs, caller, current, version) }));
}

async function readVersion(needs: WriteNeeds, caller: Caller, secret: Verified<CurrentRow>, version: number): Promise<SecretValue> {
  const stored = await findVersion(needs, caller, secret, version);
  if (!stored) throw versionNotFound(version);
  // Nothing of Keyhole's own writes plaintext: in a secret that has a seal somebody else has put it there.
  if (stored.kind === "plaintext" && secret.seal !== null) throw new IntegrityProblem(brokenRow("secrets", secret));
  const { org, scope, name, id } = secret;
  const bytes = await readValue(needs, { ...stored, binding: { org, scope, name, version, id, encoding: stored.encoding } });
  return { bytes, encoding: stored.encoding };
}
