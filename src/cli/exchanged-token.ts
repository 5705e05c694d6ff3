import * as z from "zod";
import { exchangeToken } from "../client/create-client.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

const replySchema = z.object({ value: z.string().min(1) });

/**
 * A provider of Keyhole tokens for the identity of a CI job, when `KEYHOLE_TRUST` (`<org>/<trust>`) says under which
 * trust it is exchanged. The identity token is in `KEYHOLE_IDENTITY`, or GitHub Actions gives it to a job with
 * `permissions: id-token: write`. Nothing is stored.
 */
export function exchangedToken(url: string): (() => Promise<string>) | undefined {
  const audience = process.env.KEYHOLE_TRUST;
  if (!audience) return undefined;
  return async () => (await exchangeToken({ baseUrl: url, audience, subjectToken: await identityToken(url) })).access_token;
}

/** The identity token of this CI job, for the deployment at an address unless `KEYHOLE_OIDC_AUDIENCE` says for what. */
export async function identityToken(deployment: string): Promise<string> {
  const { KEYHOLE_IDENTITY, KEYHOLE_OIDC_AUDIENCE: audience = new URL(deployment).origin } = process.env;
  const { ACTIONS_ID_TOKEN_REQUEST_URL: address, ACTIONS_ID_TOKEN_REQUEST_TOKEN: token } = process.env;
  if (KEYHOLE_IDENTITY) return KEYHOLE_IDENTITY;
  const hint = "KEYHOLE_TRUST needs KEYHOLE_IDENTITY, or a GitHub Actions job with `permissions: id-token: write`; else set KEYHOLE_TOKEN";
  if (!address || !token) throw new CliError("this job has no identity token to exchange", hint, EXIT.refused);
  const url = new URL(address);
  url.searchParams.set("audience", audience);
  try {
    const reply = await fetch(url, { headers: { Authorization: `Bearer ${token}` }, redirect: "error", signal: AbortSignal.timeout(30_000) });
    return replySchema.parse(await reply.json()).value;
  } catch {
    throw new CliError("the job's identity token could not be had", hint, EXIT.unavailable);
  }
}
