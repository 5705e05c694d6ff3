import { createClient, KeyholeError } from "../client/create-client.ts";
import { narrowToken } from "../client/narrow-token.ts";
import { CliError } from "./cli-error.ts";
import { describeError } from "./describe-error.ts";
import { EXIT } from "./exit-code.ts";
import { note } from "./output.ts";
import { proxiedFetch } from "./proxied-fetch.ts";
import type { Session } from "./session.ts";
import { tokenClaims } from "./token-claims.ts";
import { type UsedService, useEnvironment } from "./use-environment.ts";

/** How long the end of that token may take, in milliseconds, and how often it is tried again. */
const ENDING = { timeout: 5_000, retries: 2 };
const ENDING_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;

/**
 * Does something with the variables by which a command uses services: with a token of its own that can do nothing else, lives no longer
 * than the caller's, and is revoked when it is done. If that is interrupted the token ends by itself.
 *
 * @param seconds How long the token lives at the most.
 * @throws {CliError} for a service that is not there, before anything is made.
 */
export async function withServices<T>(
  { client, url: given, token }: Session,
  names: readonly string[],
  seconds: number,
  work: (variables: Record<string, string>, token: string) => Promise<T>,
): Promise<T> {
  const services: UsedService[] = [];
  for (const name of new Set(names)) services.push(await client.services.get(name).catch((error: unknown) => refuseService(error, name)));
  const url = given.replace(/\/+$/, "");
  const parent = typeof token === "string" ? token : await token();
  const asked = { permissions: ["secrets:use"], services: services.map(({ name }) => name), expires_in: seconds };
  const { access_token } = await narrowToken({ baseUrl: url, token: parent, fetch: proxiedFetch, ...asked });
  try {
    return await work(useEnvironment(services, url, access_token, process.env), access_token);
  } finally {
    await uninterrupted(() => endToken(url, access_token));
  }
}

function refuseService(error: unknown, name: string): never {
  if (!(error instanceof KeyholeError && error.code === "service-not-found")) throw error;
  throw new CliError(`there is no service ${name}`, "`keyhole service list` shows those that you may use", EXIT.notFound);
}

/** Does something short of which a signal, a second Ctrl-C for example, makes no end: the token would live on. */
async function uninterrupted(work: () => Promise<void>): Promise<void> {
  const wait = () => {};
  for (const signal of ENDING_SIGNALS) process.on(signal, wait);
  try {
    await work();
  } finally {
    for (const signal of ENDING_SIGNALS) process.off(signal, wait);
  }
}

/** The command has ended, and so has its token; what goes wrong with that is told and changes nothing else. */
async function endToken(url: string, token: string): Promise<void> {
  const { jti } = tokenClaims(token) ?? {};
  try {
    await createClient({ baseUrl: url, token, fetch: proxiedFetch, ...ENDING }).tokens.revoke(String(jti));
  } catch (error) {
    note(`warning: the command's token could not be revoked, and ends by itself: ${describeError(error).message}`);
  }
}
