import { Problem } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import { clientCredentialsRequest, type OAuthClient, readAccessToken } from "../injection/client-credentials.ts";
import { dropToken, keepToken, openToken, tokensOf } from "../injection/kept-tokens.ts";
import { oneLeads } from "../leases/one-leads.ts";
import { callOut } from "../outgoing/call-out.ts";
import { OutgoingError } from "../outgoing/outgoing-error.ts";
import { readUpTo } from "../outgoing/read-up-to.ts";
import type { OutgoingRules } from "../outgoing/require-public-origin.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";

/** A client that fetches an access token, and where. */
export interface TokenClient extends OAuthClient {
  readonly url: string;
  /** What its id and its secret are made of, as the service writes it: without a value. */
  readonly templates: readonly string[];
  /** Of each secret in it its id and version, and what stands for a value that comes from a store: another value is another client. */
  readonly versions: readonly string[];
}

/** What fetching an access token needs. */
export interface TokenNeeds extends Pick<CallerNeeds, "keyring"> {
  readonly now: Date;
  /** Lets work go on after the reply. */
  readonly defer: (work: Promise<unknown>) => void;
}

/** How long a token endpoint may take, in milliseconds. */
const WITHIN = 10_000;
/** How large its reply may be. */
const MAX_REPLY = 65_536;
/** How long before its end a token is used no more, and for how long one is kept at the least and at the most, in seconds. */
const EARLY = 30;
const UNSAID = 300;
const LONGEST = 3_600;

/**
 * The access token of a client: one that is kept, or a new one, which one of all who need it at the same time fetches
 * (RFC 6749, section 4.4). It is kept for an organization, an endpoint, a scope and the versions of all secrets.
 *
 * @throws {Problem} `token-refused`, `upstream-timeout`, `upstream-unreachable`, `use-not-allowed`. Nothing of the endpoint's reply is in them.
 */
export async function accessTokenFor(needs: TokenNeeds, { org }: Caller, client: TokenClient, rules: OutgoingRules): Promise<string> {
  const kept = tokensOf(needs.keyring);
  const name = nameOf(org, client);
  const now = needs.now.getTime();
  const lead = async () => {
    const { token, expiresIn = UNSAID } = await fetchToken(client, rules);
    const seconds = Math.min(expiresIn, LONGEST) - EARLY;
    if (seconds > 0) await keepToken(kept, org, name, token, now + seconds * 1000);
    return token;
  };
  return oneLeads(kept, { clock: () => now, defer: needs.defer }, name, () => openToken(kept, name, now), lead, WITHIN);
}

/** Forgets an access token of a client that a service did not take, and no newer one. */
export async function forgetAccessToken(
  { keyring, now }: Pick<TokenNeeds, "keyring" | "now">,
  { org }: Caller,
  client: TokenClient,
  refused: string,
): Promise<void> {
  await dropToken(tokensOf(keyring), nameOf(org, client), refused, now.getTime());
}

/** It stays in memory as it is, and so has no value in it. */
function nameOf(org: string, { url, templates, scope = "", versions }: TokenClient): string {
  return JSON.stringify(["keyhole/access-token/1", org, url, templates, scope, versions]);
}

async function fetchToken(client: TokenClient, rules: OutgoingRules): Promise<{ readonly token: string; readonly expiresIn: number | undefined }> {
  const { headers, body } = clientCredentialsRequest(client);
  try {
    const reply = await callOut(rules, { url: new URL(client.url), method: "POST", headers, body, firstByte: WITHIN, whole: WITHIN });
    const bytes = await readUpTo(reply.body, MAX_REPLY);
    const token = bytes && readAccessToken(reply.status, new TextDecoder().decode(bytes));
    if (!token) throw new Problem("token-refused", "The token endpoint of the service gave no access token for its client.");
    return token;
  } catch (error) {
    throw error instanceof Problem ? error : endpointProblem(error);
  }
}

/** What the platform says of a call that broke off is nobody's. */
function endpointProblem(error: unknown): Problem {
  const refusal = error instanceof OutgoingError ? error.refusal : "unreachable";
  if (refusal === "too-slow" || refusal === "ended") return new Problem("upstream-timeout", "The token endpoint of the service did not answer in time.");
  if (refusal === "not-public" || refusal === "own-address") return new Problem("use-not-allowed", "Nothing is sent to the token endpoint's address.");
  return new Problem("upstream-unreachable", "The token endpoint of the service could not be reached.");
}
