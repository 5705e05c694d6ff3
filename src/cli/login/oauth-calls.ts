import * as z from "zod";
import { CLI_CLIENT } from "../../contract/oauth-client.ts";
import { OAUTH_ERRORS } from "../../contract/trust.ts";
import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { proxiedFetch } from "../proxied-fetch.ts";

const tokenSchema = z.object({ access_token: z.string() });
const errorSchema = z.object({ error: z.enum(OAUTH_ERRORS), error_description: z.string() });
/** A refusal of OAuth's (RFC 6749, section 5.2). */
export type OAuthRefusal = z.output<typeof errorSchema>;

/** How long one request may take, in milliseconds. */
const TIMEOUT = 30_000;

/** An address below a deployment's. */
export function below(url: string, path: string): string {
  return `${url.replace(/\/+$/, "")}${path}`;
}

/**
 * Sends a form as the command line's client, and reads what comes.
 *
 * @throws {CliError} when the deployment cannot be reached, or answers with something else.
 */
export async function postForm<T>(url: string, path: string, form: Readonly<Record<string, string>>, schema: z.ZodType<T>): Promise<T | OAuthRefusal> {
  const reply = await send(below(url, path), new URLSearchParams({ client_id: CLI_CLIENT, ...form }).toString());
  const body: unknown = await reply.json().catch(() => undefined);
  const read = (reply.ok ? schema : errorSchema).safeParse(body);
  if (read.success) return read.data;
  throw new CliError(
    `the answer is status ${reply.status}, and none of a Keyhole with logins`,
    "is the address right? A token is taken with --paste or --stdin",
  );
}

async function send(address: string, body: string): Promise<Response> {
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  try {
    return await proxiedFetch(address, { method: "POST", headers, body, redirect: "error", signal: AbortSignal.timeout(TIMEOUT) });
  } catch (error) {
    // What is wrong with a proxy says so itself.
    if (error instanceof CliError) throw error;
    throw new CliError(`${new URL(address).origin} does not answer`, "is the address right, and the network there?", EXIT.unavailable);
  }
}

/** Asks for a token. */
export function askToken(url: string, form: Readonly<Record<string, string>>): Promise<z.output<typeof tokenSchema> | OAuthRefusal> {
  return postForm(url, "/oauth/token", form, tokenSchema);
}

/** That a login came to nothing. */
export function notLoggedIn({ error, error_description }: OAuthRefusal): CliError {
  const message = error === "access_denied" ? "the login was refused in the browser" : `the login failed: ${error}: ${error_description}`;
  return new CliError(message, "run it again to try once more", EXIT.refused);
}
