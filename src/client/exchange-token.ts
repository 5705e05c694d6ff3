import { JWT_TOKEN_TYPE } from "../contract/exchange.ts";
import { mayPass } from "./connection-fault.ts";
import { KeyholeError } from "./keyhole-error.ts";
import { postExchange } from "./post-exchange.ts";
import { repeat } from "./repeat.ts";
import type { CallOptions } from "./types/calls.ts";
import type { ExchangeReply } from "./types/trusts.ts";

/** An identity token, and the trust under which it is exchanged. */
export interface ExchangeRequest extends CallOptions {
  readonly baseUrl: string;
  /** The identity token: a JWT of the issuer that the trust names. What gives one is asked before each attempt. */
  readonly subjectToken: string | (() => string | Promise<string>);
  /** `<org>/<trust name>`. */
  readonly audience: string;
  /** Space-separated permissions, if fewer than the trust gives. */
  readonly scope?: string | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Milliseconds that one attempt may take. 30,000 unless told. */
  readonly timeout?: number | undefined;
  /** How often it is tried again. 3 unless told. */
  readonly retries?: number | undefined;
}

/** How long a wait the exchange may ask for, in milliseconds: it is the first thing that a job does, and without it the job fails. */
export const EXCHANGE_WAIT = 120_000;

/**
 * Exchanges an OIDC identity token for a Keyhole token (RFC 8693). Fit for the `token` of a client. After 429, 5xx and lost connections it is tried again, after as long as the service asks for.
 *
 * @throws {KeyholeError} `exchange-refused`, whose message is OAuth's error; `exchange-unavailable`, the same with a status
 *   that asks to try later; `unreachable`; `unexpected-reply`. What `subjectToken` throws.
 * @example
 * const exchange = { baseUrl, subjectToken: () => readFile("/var/run/secrets/tokens/keyhole", "utf8"), audience: "acme/kubernetes" };
 * const client = createClient({ baseUrl, token: async () => (await exchangeToken(exchange)).access_token });
 */
export async function exchangeToken({ retries = 3, ...request }: ExchangeRequest): Promise<ExchangeReply> {
  let lost = false;
  return repeat({ retries, mayRepeat: isWorthRepeating, longestWait: EXCHANGE_WAIT, signal: request.signal }, async () => {
    try {
      return await exchangeOnce(request);
    } catch (error) {
      if (error instanceof KeyholeError && error.code === "unreachable") lost = true;
      throw lost ? withLostReply(error) : error;
    }
  });
}

/** Whether a failure may pass: the service fails, asks to try later, or did not answer. */
export function isWorthRepeating({ code, status = 0, cause }: KeyholeError): boolean {
  return (code === "unreachable" && mayPass(cause)) || status === 429 || status >= 500;
}

async function exchangeOnce(request: Omit<ExchangeRequest, "retries">): Promise<ExchangeReply> {
  const { baseUrl, subjectToken, audience, scope, signal, fetch = globalThis.fetch, timeout = 30_000 } = request;
  const identity = typeof subjectToken === "string" ? subjectToken : await subjectToken();
  // A line end, which files and variables often have, is no part of a JWT.
  const form = { subject_token: identity.trim(), subject_token_type: JWT_TOKEN_TYPE, audience };
  return postExchange({ baseUrl, fetch, timeout, signal }, scope === undefined ? form : { ...form, scope });
}

/** Where an identity token is exchanged once, a refusal may only say that it was. */
function withLostReply(error: unknown): unknown {
  if (!(error instanceof KeyholeError) || error.code !== "exchange-refused") return error;
  return new KeyholeError(error.code, `${error.message} An earlier attempt, whose reply was lost, may have used the identity token up.`, {
    status: error.status,
  });
}
