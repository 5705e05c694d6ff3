import { ACCESS_TOKEN_TYPE } from "../contract/exchange.ts";
import { LIMITS } from "../contract/limit-fields.ts";
import { EXCHANGE_WAIT, isWorthRepeating } from "./exchange-token.ts";
import { KeyholeError } from "./keyhole-error.ts";
import { postExchange } from "./post-exchange.ts";
import { repeat } from "./repeat.ts";
import type { CallOptions } from "./types/calls.ts";
import type { SomeLimits } from "./types/tokens.ts";
import type { ExchangeReply } from "./types/trusts.ts";

/** One's own token, and what the narrower one is to have. What is left out is as the token itself has it. */
export interface NarrowRequest extends CallOptions, SomeLimits {
  readonly baseUrl: string;
  readonly token: string;
  readonly permissions?: readonly string[] | undefined;
  /** Seconds. It lives no longer than the token, whatever is asked for. */
  readonly expires_in?: number | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds that one attempt may take. 30,000 unless told. */
  readonly timeout?: number | undefined;
  /** How often it is tried again. 3 unless told. */
  readonly retries?: number | undefined;
}

/**
 * Makes one's own Keyhole token narrower (RFC 8693): the reply's `access_token` may do no more, lives no longer and is revoked
 * with it. It takes no permission. After 429, 5xx and lost connections it is tried again; a token of which the reply was lost
 * ends with its parent.
 *
 * @throws {KeyholeError} `narrowing-refused`, whose message is OAuth's error; `exchange-unavailable`, the same with a status
 *   that asks to try later; `unreachable`; `unexpected-reply`.
 * @example
 * const { access_token } = await narrowToken({ baseUrl, token, permissions: ["secrets:resolve"], secret_scopes: ["repo:acme/api"], expires_in: 600 });
 */
export async function narrowToken({ retries = 3, ...request }: NarrowRequest): Promise<ExchangeReply> {
  const { baseUrl, fetch = globalThis.fetch, timeout = 30_000, signal } = request;
  const form = formOf(request);
  return repeat({ retries, mayRepeat: isWorthRepeating, longestWait: EXCHANGE_WAIT, signal }, async () => {
    try {
      return await postExchange({ baseUrl, fetch, timeout, signal }, form);
    } catch (error) {
      if (!(error instanceof KeyholeError && error.code === "exchange-refused")) throw error;
      throw new KeyholeError("narrowing-refused", error.message, { status: error.status });
    }
  });
}

/** A list is one field, with spaces in between. An empty one is sent as that, and refused: it must not become no limit. */
function formOf(request: NarrowRequest): Record<string, string> {
  const { token, permissions, expires_in } = request;
  const lists = [["scope", permissions] as const, ...Object.values(LIMITS).map(({ field }) => [field, request[field]] as const)];
  const given = lists.flatMap(([field, list]) => (list === undefined ? [] : [[field, list.join(" ")] as const]));
  const lasts = expires_in !== undefined && { expires_in: String(expires_in) };
  return { subject_token: token.trim(), subject_token_type: ACCESS_TOKEN_TYPE, ...Object.fromEntries(given), ...lasts };
}
