import { exchangeToken } from "../client/create-client.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";
import { parseToken } from "./parse-token.ts";
import { proxiedFetch } from "./proxied-fetch.ts";
import { requestIdentity } from "./request-identity.ts";

/**
 * A provider of Keyhole tokens for the identity of a CI job, when `KEYHOLE_TRUST` (`<org>/<trust>`) says under which
 * trust it is exchanged. The identity token is in `KEYHOLE_IDENTITY`, or GitHub Actions gives it to a job with
 * `permissions: id-token: write`. Nothing is stored.
 */
export function exchangedToken(url: string, retries: number | undefined): (() => Promise<string>) | undefined {
  const audience = process.env.KEYHOLE_TRUST;
  if (!audience) return undefined;
  return async () =>
    (await exchangeToken({ baseUrl: url, audience, fetch: proxiedFetch, subjectToken: () => identityToken(url, retries), retries })).access_token;
}

/** The identity token of this CI job, for the deployment at an address unless `KEYHOLE_OIDC_AUDIENCE` says for what. */
export async function identityToken(deployment: string, retries?: number): Promise<string> {
  const { KEYHOLE_IDENTITY = "", KEYHOLE_OIDC_AUDIENCE: audience = new URL(deployment).origin } = process.env;
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = process.env;
  if (KEYHOLE_IDENTITY.trim()) return parseToken("KEYHOLE_IDENTITY", KEYHOLE_IDENTITY);
  if (address && token) return requestIdentity({ address, token, audience, retries });
  throw new CliError(
    "this job has no identity token to exchange",
    "KEYHOLE_TRUST needs KEYHOLE_IDENTITY, or a GitHub Actions job with `permissions: id-token: write`; else set KEYHOLE_TOKEN",
    EXIT.refused,
  );
}
