import * as z from "zod";
import { parseRetryAfter } from "../client/backoff.ts";
import { KeyholeError } from "../client/create-client.ts";
import { EXCHANGE_WAIT, isWorthRepeating } from "../client/exchange-token.ts";
import { fetchReply } from "../client/fetch-reply.ts";
import { repeat } from "../client/repeat.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";
import { proxiedFetch } from "./proxied-fetch.ts";

const replySchema = z.object({ value: z.string().min(1) });

/** Where a job of GitHub Actions asks for its identity token, with what, and for whom. */
export interface IdentityRequest {
  readonly address: string;
  readonly token: string;
  readonly audience: string;
  /** How often it is asked again. 3 unless told. */
  readonly retries: number | undefined;
}

/**
 * The identity token of a job of GitHub Actions. After 429, 5xx and lost connections it is asked for again, after as long
 * as the endpoint asks for.
 *
 * @throws {CliError} whose hint follows what happened: the endpoint does not answer, or refuses.
 */
export async function requestIdentity({ retries = 3, ...request }: IdentityRequest): Promise<string> {
  try {
    return await repeat({ retries, mayRepeat: isWorthRepeating, longestWait: EXCHANGE_WAIT, signal: undefined }, () => requestOnce(request));
  } catch (error) {
    if (error instanceof KeyholeError) throw notHad(error);
    throw error;
  }
}

async function requestOnce({ address, token, audience }: Omit<IdentityRequest, "retries">): Promise<string> {
  const url = new URL(address);
  url.searchParams.set("audience", audience);
  const init = { headers: { Authorization: `Bearer ${token}` } };
  const reply = await fetchReply({ fetch: proxiedFetch, url: url.href, init, timeout: 30_000, signal: undefined });
  const { status } = reply;
  const how = { status, retryAfter: parseRetryAfter(reply.headers.get("Retry-After")) };
  if (!reply.ok) throw new KeyholeError("unexpected-reply", `The endpoint of the runner answers ${status}.`, how);
  const parsed = replySchema.safeParse(await reply.json().catch(() => undefined));
  if (!parsed.success) throw new KeyholeError("unexpected-reply", "What the endpoint of the runner answers has no token.", how);
  return parsed.data.value;
}

function notHad(error: KeyholeError): CliError {
  const message = `the job's identity token could not be had. ${error.message}`;
  if (isWorthRepeating(error)) return new CliError(message, "nothing is wrong with the job: run it again in a while", EXIT.unavailable);
  return new CliError(
    message,
    "does the job have `permissions: id-token: write`? ACTIONS_ID_TOKEN_REQUEST_URL and …_TOKEN are the runner's, as they are",
    EXIT.refused,
  );
}
