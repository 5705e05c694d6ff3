import { KeyholeError } from "../client/create-client.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { type UsedService, useEnvironment } from "./use-environment.ts";
import { withNarrowToken } from "./with-narrow-token.ts";

/**
 * Does something with the variables by which a command uses services: with a token of its own that can do nothing else, lives no longer
 * than the caller's, and is revoked when it is done.
 *
 * @param seconds How long the token lives at the most.
 * @throws {CliError} for a service that is not there, before anything is made.
 */
export async function withServices<T>(
  session: Session,
  names: readonly string[],
  seconds: number,
  work: (variables: Record<string, string>, token: string) => Promise<T>,
): Promise<T> {
  const services: UsedService[] = [];
  for (const name of new Set(names)) services.push(await session.client.services.get(name).catch((error: unknown) => refuseService(error, name)));
  const narrowed = { permissions: ["secrets:use"], services: services.map(({ name }) => name), expires_in: seconds };
  return withNarrowToken(session, narrowed, (url, token) => work(useEnvironment(services, url, token, process.env), token));
}

function refuseService(error: unknown, name: string): never {
  if (!(error instanceof KeyholeError && error.code === "service-not-found")) throw error;
  throw new CliError(`there is no service ${name}`, "`keyhole service list` shows those that you may use", EXIT.notFound);
}
