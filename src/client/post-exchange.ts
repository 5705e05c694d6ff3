import { TOKEN_EXCHANGE } from "../contract/exchange.ts";
import { parseRetryAfter } from "./backoff.ts";
import { fetchReply } from "./fetch-reply.ts";
import { KeyholeError } from "./keyhole-error.ts";
import { readReply, tryToRead } from "./read-reply.ts";
import { oauthError } from "./readers/problem.ts";
import { exchangeReply } from "./readers/trusts.ts";
import type { CallOptions } from "./types/calls.ts";
import type { ExchangeReply } from "./types/trusts.ts";

/** Where a form goes, and how long its reply may take. */
export interface Exchanging extends CallOptions {
  readonly baseUrl: string;
  readonly fetch: typeof globalThis.fetch;
  readonly timeout: number;
}

/** Sends one request to the token endpoint. */
export async function postExchange({ baseUrl, fetch, timeout, signal }: Exchanging, form: Record<string, string>): Promise<ExchangeReply> {
  const init = {
    method: "POST",
    headers: { "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ grant_type: TOKEN_EXCHANGE, ...form }).toString(),
  };
  const reply = await fetchReply({ fetch, url: `${baseUrl.replace(/\/+$/, "")}/oauth/token`, init, timeout, signal });
  return reply.ok ? readReply(reply, exchangeReply) : refuse(reply);
}

async function refuse(reply: Response): Promise<never> {
  const { status } = reply;
  const how = { status, retryAfter: parseRetryAfter(reply.headers.get("Retry-After")) };
  const refusal = await tryToRead(reply, oauthError);
  if (!refusal) throw new KeyholeError("unexpected-reply", `The reply is status ${status} and no error of OAuth's.`, how);
  const code = status === 429 || status >= 500 ? "exchange-unavailable" : "exchange-refused";
  throw new KeyholeError(code, `${refusal.error}: ${refusal.error_description}`, how);
}
