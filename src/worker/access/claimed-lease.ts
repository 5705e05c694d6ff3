import { fromBase64url } from "../../contract/base64url.ts";
import { claimsSchema } from "../../contract/claims.ts";

const CLAIM = "lease_seconds";
const DECODER = new TextDecoder();
const leaseSchema = claimsSchema.pick({ iss: true, lease_seconds: true });

/**
 * The lease that a token of an issuer asks for where a request says nothing of that, in seconds; 0 for none. The token is
 * not verified: whoever has made one up is refused like anybody, and an answer that is kept was given to exactly this token.
 */
export function claimedLease(token: string, issuer: string): number {
  try {
    const text = DECODER.decode(fromBase64url(token.slice(token.indexOf(".") + 1, token.lastIndexOf("."))));
    // Most tokens ask for none: it costs them no more than a look.
    if (!text.includes(CLAIM)) return 0;
    const { success, data } = leaseSchema.safeParse(JSON.parse(text));
    return success && data.iss === issuer ? (data.lease_seconds ?? 0) : 0;
  } catch (error) {
    // It is no token: the app refuses it.
    if (error instanceof SyntaxError) return 0;
    throw error;
  }
}
