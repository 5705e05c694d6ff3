import { createHash } from "node:crypto";
import type { TokenProvider } from "../client/create-client.ts";
import { LIMITS } from "../contract/limits.ts";
import { identityToken } from "./exchanged-token.ts";
import { tokenClaims } from "./token-claims.ts";

/** Who holds a token of the deployment at `url`, by what the next token of the same holder says too. The service checks tokens, not we. */
export async function holderOf(url: string, token: TokenProvider): Promise<unknown> {
  if (typeof token === "string") return claimsOf(token, ["iss", "org", "sub", ...Object.values(LIMITS).map(({ field }) => field)]);
  // A runner's jobs share the trust: what tells them apart is whose identity is exchanged. A `sub` may be set to leave the repository out.
  return [process.env.KEYHOLE_TRUST, claimsOf(await identityToken(url), ["iss", "sub", "aud", "repository"])];
}

function claimsOf(token: string, names: readonly string[]): unknown {
  const claims = tokenClaims(token);
  return claims ? names.map((name) => claims[name]) : createHash("sha256").update(token).digest("hex");
}
