import { CLI_CLIENT, codeChallengeSchema, redirectUriSchema } from "../../../contract/oauth-client.ts";
import { CONSOLE } from "../console/console-page.ts";

/** Where a request of authorization leads, or why it leads nowhere. */
export type Authorization = { readonly location: string } | { readonly detail: string };

const KNOWN = ["response_type", "client_id", "redirect_uri", "code_challenge", "code_challenge_method", "state"] as const;
const STATE = /^[\x20-\x7E]{1,512}$/;

/**
 * The page that asks for what a program wants (RFC 6749, section 4.1.1), or where the program is told what is wrong with its request. With
 * another client or redirect URI there is nobody to tell.
 */
export function parseAuthorization({ searchParams: query, origin: iss }: URL): Authorization {
  if (KNOWN.some((name) => query.getAll(name).length > 1)) return { detail: "A parameter is there twice." };
  const { data: redirectUri } = redirectUriSchema.safeParse(query.get("redirect_uri"));
  if (query.get("client_id") !== CLI_CLIENT) return { detail: `client_id is ${CLI_CLIENT}.` };
  if (redirectUri === undefined) return { detail: "redirect_uri is http://127.0.0.1:<port>/callback." };
  const state = query.get("state");
  const hasState = state !== null && STATE.test(state);
  // Who answers is said of what is refused, too (RFC 9207, section 2).
  const back = (error: string, detail: string) => withQuery(redirectUri, { error, error_description: detail, ...(hasState && { state }), iss });
  if (state !== null && !hasState) return back("invalid_request", "state has up to 512 printable characters of ASCII.");
  if (query.get("response_type") !== "code") return back("unsupported_response_type", "response_type is code.");
  // Without PKCE, or with a challenge that is the verifier itself, a code would be anybody's who sees it.
  const { data: challenge } = codeChallengeSchema.safeParse(query.get("code_challenge"));
  if (query.get("code_challenge_method") !== "S256" || challenge === undefined) return back("invalid_request", "PKCE is required: code_challenge, by S256.");
  return withQuery(`${CONSOLE}/authorize`, { redirect_uri: redirectUri, code_challenge: challenge, ...(hasState && { state }) });
}

function withQuery(address: string, query: Readonly<Record<string, string>>): Authorization {
  return { location: `${address}?${new URLSearchParams(query)}` };
}
