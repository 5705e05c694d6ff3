import { Problem } from "../../contract/problem.ts";
import { sourceOfText, textOfSource } from "../../contract/source.ts";
import { placeOf, type StoreDefinition } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";
import { bindsEncoding } from "../envelope/binding.ts";
import { rowsOf } from "../store/run-batch.ts";
import type { CurrentRow } from "../store/secret-rows.ts";
import { type StoreRow, selectStore } from "../store/store-rows.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { brokenRow, IntegrityProblem, type Verified, verifyRow } from "../transaction/verify-row.ts";
import type { SecretValue } from "./change.ts";
import { findVersion, versionNotFound } from "./find-version.ts";
import { changeCurrent } from "./patch-secret.ts";
import type { Precondition } from "./precondition.ts";
import { inlineCiphertexts, readValue } from "./read-values.ts";
import type { Write, WriteNeeds } from "./write-secrets.ts";

/**
 * Makes an older value current again, as a new version; nobody reads it. It is sealed anew, because a ciphertext is
 * bound to its version's number.
 *
 * @throws {Problem} `forbidden`, `secret-not-found`, `version-not-found`, `version-conflict`, `integrity-failed`,
 *   `storage-unavailable`.
 */
export async function rollbackSecret(needs: WriteNeeds, caller: Caller, id: string, version: number, precondition: Precondition): Promise<Write> {
  caller.require("secrets:write");
  return changeCurrent(needs, caller, { id }, precondition, "secret.rollback", async (current) => ({
    value: await pinned(needs, caller, version, await readVersion(needs, caller, current, version)),
  }));
}

/**
 * What was written to a store while the scope was in it is the version that was written then, and not the one that is current there now.
 *
 * @throws {Problem} `version-not-found` where the store is another place than it was then.
 */
export async function pinned({ db, keyring }: CallerNeeds, caller: Caller, version: number, value: SecretValue): Promise<SecretValue> {
  const source = value.encoding === "source" ? sourceOfText(new TextDecoder().decode(value.bytes)) : undefined;
  if (source?.written === undefined) return value;
  const { written, place, ...named } = source;
  const [found] = await readForCaller({ db, keyring }, caller, [selectStore(db, caller.org, source.store)]);
  const [row] = rowsOf<StoreRow>(found);
  const definition = row && (JSON.parse((await verifyRow(keyring, "stores", row)).definition) as StoreDefinition);
  if (!definition || place !== placeOf(definition)) throw writtenElsewhere(version);
  return { ...value, bytes: new TextEncoder().encode(textOfSource({ ...named, version: written })) };
}

/** The answer when a store is another place than the one that a version was written to. */
export function writtenElsewhere(version: number): Problem {
  return new Problem(
    "version-not-found",
    `Version ${version} was written to a store that is another place by now, or is not there: what is there is not that version.`,
  );
}

/** The value of a version, or the place of it, as it is kept. */
export async function readVersion(needs: WriteNeeds, caller: Caller, secret: Verified<CurrentRow>, version: number): Promise<SecretValue> {
  const stored = await findVersion(needs, caller, secret, version);
  if (!stored) throw versionNotFound(version);
  // Nothing of Keyhole's own writes plaintext: in a secret that has a seal somebody else has put it there.
  if (stored.kind === "plaintext" && secret.seal !== null) throw new IntegrityProblem(brokenRow("secrets", secret));
  const { org, scope, name, id } = secret;
  const [found = stored] = await inlineCiphertexts(needs.kv, [stored]);
  const value = {
    bytes: await readValue(needs, { ...found, binding: { org, scope, name, version, id, encoding: stored.encoding } }),
    encoding: stored.encoding,
    typed: true,
  };
  const isBound = found.kind === "sealed" && found.ciphertext !== null && bindsEncoding(found.ciphertext);
  if (!isBound) requireSealedEncoding(secret, version, value);
  return value;
}

/**
 * Refuses a value whose encoding only its row says: an older version's is not sealed. What is sealed is the secret's own,
 * and a caller who knows that it was another one says so by setting a value of that first.
 */
function requireSealedEncoding(secret: Verified<CurrentRow>, version: number, { bytes, encoding }: SecretValue): void {
  if (encoding !== secret.encoding)
    throw new Problem(
      "version-conflict",
      `Version ${version} is from before values were bound to their encoding, and says ${encoding} where the secret is ${secret.encoding} now. If that is right, set a value with the encoding ${encoding} first, and roll back then.`,
    );
  // Text was checked when it was set.
  if (encoding !== "base64" && !isText(bytes)) throw new IntegrityProblem(brokenRow("secrets", secret));
}

function isText(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
