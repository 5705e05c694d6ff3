import { type ExchangeReply, exchangeReplySchema, JWT_TOKEN_TYPE, oauthErrorSchema, TOKEN_EXCHANGE } from "../contract/trust.ts";
import { fetchReply } from "./fetch-reply.ts";
import { KeyholeError } from "./keyhole-error.ts";
import { readReply } from "./read-reply.ts";
import type { CallOptions } from "./send.ts";

/** An identity token, and the trust under which it is exchanged. */
export interface ExchangeRequest extends CallOptions {
  readonly baseUrl: string;
  /** The identity token: a JWT of the issuer that the trust names. */
  readonly subjectToken: string;
  /** `<org>/<trust name>`. */
  readonly audience: string;
  /** Space-separated permissions, if fewer than the trust gives. */
  readonly scope?: string | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds that it may take. 30,000 unless told. */
  readonly timeout?: number | undefined;
}

/**
 * Exchanges an OIDC identity token for a Keyhole token (RFC 8693). Fit for the `token` of a client:
 * `token: async () => (await exchangeToken({ baseUrl, subjectToken: await identityToken(), audience })).access_token`.
 *
 * @throws {KeyholeError} `exchange-refused`, whose message is OAuth's error; `unreachable`; `unexpected-reply`.
 */
export async function exchangeToken(request: ExchangeRequest): Promise<ExchangeReply> {
  const { baseUrl, subjectToken, audience, scope, signal, fetch = globalThis.fetch, timeout = 30_000 } = request;
  const form = { grant_type: TOKEN_EXCHANGE, subject_token: subjectToken, subject_token_type: JWT_TOKEN_TYPE, audience };
  const init = {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(scope === undefined ? form : { ...form, scope }).toString(),
  };
  const reply = await fetchReply({ fetch, url: `${baseUrl.replace(/\/+$/, "")}/oauth/token`, init, timeout, signal });
  if (reply.ok) return readReply(reply, exchangeReplySchema);
  const refusal = oauthErrorSchema.safeParse(await reply.json().catch(() => undefined));
  if (!refusal.success) throw new KeyholeError("unexpected-reply", `The reply is status ${reply.status} and no error of OAuth's.`, { status: reply.status });
  throw new KeyholeError("exchange-refused", `${refusal.data.error}: ${refusal.data.error_description}`, { status: reply.status });
}
