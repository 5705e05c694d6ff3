import * as z from "zod";
import { parseRetryAfter } from "../../client/backoff.ts";
import { type ConnectionFault, connectionFaultOf, mayPass } from "../../client/connection-fault.ts";
import { KeyholeError } from "../../client/create-client.ts";
import { fetchReply } from "../../client/fetch-reply.ts";
import { repeat } from "../../client/repeat.ts";
import { isInTheClear } from "../../contract/in-the-clear.ts";
import { CliError, usageError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { fetchTrusting, proxyFor } from "../proxied-fetch.ts";
import type { VaultCredentials } from "./find-credentials.ts";
import { parseReply } from "./parse-reply.ts";

/** What a Vault answers: there is something (200), there is nothing (404), or the token may not (403). In each case a JSON object. */
interface VaultReply {
  readonly status: 200 | 403 | 404;
  readonly text: string;
}

/** A Vault or OpenBao that is read from. It is never written to. */
export interface Vault {
  /** Its host, for people. */
  readonly host: string;
  /** Reads what is at a path, whose segments are written as they are. */
  read(segments: readonly string[], query?: Readonly<Record<string, string>>): Promise<VaultReply>;
}

/** How often a request is sent again, and how long is waited for what the Vault asks for, in milliseconds. */
const RETRIES = 6;
const LONGEST_WAIT = 60_000;
/** How long one answer may take, in milliseconds. */
const TIMEOUT = 60_000;

/**
 * Opens a Vault by its address. Nothing has been sent there yet.
 *
 * @throws {CliError} for what is no https address; http is for this machine, and for `insecure`.
 */
export function openVault(address: string, credentials: VaultCredentials, insecure: boolean | undefined): Vault {
  const { origin, host, base } = parseAddress(address);
  if (!insecure && isInTheClear(origin))
    throw usageError(
      `${origin} is not https: the token and every value would cross the network in the clear`,
      "use its https address; --insecure if you mean it",
    );
  proxyFor(new URL(origin), process.env);
  const fetch = fetchTrusting(credentials.authorities);
  const { token, namespace } = credentials;
  const headers = { "X-Vault-Token": token, "X-Vault-Request": "true", ...(namespace !== undefined && { "X-Vault-Namespace": namespace }) };
  return {
    host,
    async read(segments, query = {}) {
      const url = `${base}/v1/${segments.map(encodeURIComponent).join("/")}${queryOf(query)}`;
      const attempt = async () => replyOf(host, await fetchReply({ fetch, url, init: { headers }, timeout: TIMEOUT, signal: undefined }));
      try {
        return await repeat({ retries: RETRIES, mayRepeat, longestWait: LONGEST_WAIT, signal: undefined }, attempt);
      } catch (error) {
        throw error instanceof KeyholeError ? asCliError(error) : error;
      }
    },
  };
}

function parseAddress(address: string) {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.search || url.hash)
    throw usageError("the address of the Vault is not an http or https URL", "for example https://vault.example:8200");
  if (url.username || url.password) throw usageError("the address of the Vault has a user or password in it", "the token comes from VAULT_TOKEN");
  // As it is often copied: with the beginning that all paths have.
  const path = url.pathname.replace(/\/+$/, "").replace(/\/v1$/, "");
  return { origin: url.origin, host: url.host, base: `${url.origin}${path}` };
}

function queryOf(query: Readonly<Record<string, string>>): string {
  const text = new URLSearchParams(query).toString();
  return text && `?${text}`;
}

async function replyOf(host: string, reply: Response): Promise<VaultReply> {
  const { status, headers } = reply;
  if (status === 200 || status === 404 || status === 403) return { status, text: requireJson(host, await reply.text()) };
  throw new KeyholeError("unexpected-reply", whatIs(host, status, headers.get("Location")), {
    status,
    retryAfter: parseRetryAfter(headers.get("Retry-After")),
  });
}

/** What is no JSON object comes from something else: it must not be taken for a tree with nothing in it, or for one that may not be read. */
function requireJson(host: string, text: string): string {
  parseReply(z.looseObject({}), text, host);
  return text;
}

function whatIs(host: string, status: number, location: string | null): string {
  if (status === 503) return `${host} is sealed, or not ready (status 503)`;
  if (status === 429) return `${host} asks to try later (status 429)`;
  if (location !== null && URL.canParse(location)) return `${host} sends elsewhere, to ${new URL(location).host}`;
  return `${host} answers with status ${status}`;
}

/** What may pass: it is not there, asks to try later, fails, or has not heard of the newest state yet (412). */
function mayRepeat({ code, status = 0, cause }: KeyholeError): boolean {
  return (code === "unreachable" && mayPass(cause)) || status === 429 || status === 412 || status >= 500;
}

const CONNECTION_HINTS: Partial<Record<ConnectionFault, string>> = {
  certificate: "VAULT_CACERT (or NODE_EXTRA_CA_CERTS) names a file with the certificate of an authority of your own",
  proxy: "check HTTPS_PROXY; NO_PROXY names hosts that are called without it",
  "no-tls": "an address that is not https begins with http://",
};

function asCliError({ code, status = 0, message, cause }: KeyholeError): CliError {
  const again = "run the same command again: it goes on where it was";
  if (code === "unreachable")
    return new CliError(message, CONNECTION_HINTS[connectionFaultOf(cause) ?? "name"] ?? `is the address right? If so, ${again}`, EXIT.unavailable);
  if (status >= 300 && status < 400) return new CliError(message, "the token is sent to no other address than the one given: give that one");
  if (status === 429 || status >= 500) return new CliError(message, again, EXIT.unavailable);
  return new CliError(message, "is this the address of a Vault or OpenBao?");
}
