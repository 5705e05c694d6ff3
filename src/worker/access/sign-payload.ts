import { CompactSign, compactVerify, errors } from "jose";
import type { SignedPayload } from "../../contract/check-chain.ts";
import type { LogKeys } from "./log-keys.ts";

/** The types (`typ`) of what Keyhole signs about its audit log, so that none can be taken for a token or for another. */
export type PayloadType =
  | ("keyhole-checkpoint" | "keyhole-head" | "keyhole-generation") // links of a log's chain, and its end
  | ("keyhole-registry" | "keyhole-anchor") // what is kept of heads outside D1, and outside the deployment
  | "keyhole-backup" // a page of a backup
  | "keyhole-statement"; // what the scheduled run notes for itself

/** Signs a payload about the audit log: a compact JWS (RFC 7515) with the log's own key. */
export function signPayload({ signer }: LogKeys, typ: PayloadType, payload: unknown): Promise<string> {
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload))).setProtectedHeader({ alg: "EdDSA", typ, kid: signer.kid }).sign(signer.key);
}

/**
 * What a JWS about the audit log says. A retired key may have signed it. A signature by a key that is not known any more
 * is not checked: then only a later JWS that names this one's hash vouches for it, and `vouched` is false.
 *
 * @returns `undefined` when the signature is wrong, or it is of another type.
 */
export async function verifyPayload({ verifiers }: LogKeys, typ: PayloadType, jws: string): Promise<SignedPayload | undefined> {
  try {
    const [header = "", payload = ""] = jws.split(".");
    const { kid, typ: found } = parsePart(header) as { kid?: string; typ?: string };
    const key = kid === undefined ? undefined : verifiers.get(kid);
    if (found !== typ) return undefined;
    if (!key) return { payload: parsePart(payload), vouched: false };
    await compactVerify(jws, key, { algorithms: ["EdDSA"] });
    return { payload: parsePart(payload), vouched: true };
  } catch (error) {
    if (error instanceof errors.JOSEError || error instanceof SyntaxError || error instanceof TypeError) return undefined;
    throw error;
  }
}

function parsePart(part: string): unknown {
  return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.fromBase64(part, { alphabet: "base64url" })));
}
