import * as z from "zod";

/** A client of an authorization server, and what it asks for. */
export interface OAuthClient {
  readonly clientId: string;
  readonly clientSecret: string;
  /** Scopes, separated by spaces. */
  readonly scope?: string | undefined;
}

/** What is sent to the token endpoint, and what must not come back from anywhere. */
export interface TokenRequest {
  readonly headers: Headers;
  readonly body: string;
  readonly hidden: readonly string[];
}

/** An access token, and for how many seconds it may be used; `undefined` where the server does not say. */
export interface AccessToken {
  readonly token: string;
  readonly expiresIn: number | undefined;
}

/**
 * The request for an access token by a client's own credentials (RFC 6749, section 4.4), which are in `Authorization` (section
 * 2.3.1: every server takes them there), so that nothing that logs bodies has them.
 */
export function clientCredentialsRequest({ clientId, clientSecret, scope }: OAuthClient): TokenRequest {
  const credentials = new TextEncoder().encode(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toBase64();
  const body = new URLSearchParams({ grant_type: "client_credentials", ...(scope !== undefined && { scope }) });
  const headers = new Headers({
    Accept: "application/json",
    Authorization: `Basic ${credentials}`,
    "Content-Type": "application/x-www-form-urlencoded",
  });
  return { headers, body: body.toString(), hidden: [clientSecret, credentials] };
}

/** As forms encode a text (RFC 6749, appendix B). */
function formEncoded(text: string): string {
  return new URLSearchParams({ "": text }).toString().slice(1);
}

/** A token that goes into a header (RFC 6750, section 2.1), and is long enough to be found in replies. */
const TOKEN = /^[A-Za-z0-9._~+/-]{12,16384}=*$/;

const replySchema = z.looseObject({
  access_token: z.string().regex(TOKEN),
  token_type: z.string().regex(/^bearer$/i),
  // Some servers write the number as a text.
  expires_in: z
    .union([
      z.number(),
      z
        .string()
        .regex(/^\d{1,9}$/)
        .transform(Number),
    ])
    .pipe(z.number().min(0))
    .optional(),
});

/** The access token in a token endpoint's reply (RFC 6749, section 5.1); `undefined` for anything else, of which nothing is passed on. */
export function readAccessToken(status: number, text: string): AccessToken | undefined {
  if (status !== 200) return undefined;
  const reply = replySchema.safeParse(parse(text));
  return reply.success ? { token: reply.data.access_token, expiresIn: reply.data.expires_in } : undefined;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
