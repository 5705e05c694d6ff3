import type * as z from "zod";
import type { Client, KeysReply, Whoami } from "../../client/create-client.ts";
import { fetchReply } from "../../client/fetch-reply.ts";
import { readReply } from "../../client/read-reply.ts";
import { Mismatch } from "../../client/readers/reader.ts";
import { isInTheClear } from "../../contract/in-the-clear.ts";
import { healthSchema, readinessSchema } from "../../contract/readiness.ts";
import { describeError } from "../describe-error.ts";
import { relativeTime } from "../relative-time.ts";
import { type Check, type Finding, ill, well } from "./finding.ts";
import { judgeReadiness } from "./judge-readiness.ts";

/** What a deployment is asked with. */
export interface Examination {
  /** Its address. */
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  /** The version of the command line. */
  readonly version: string;
  /** Who asks; nobody where there is no token for this address. */
  readonly session?: { readonly client: Client; readonly held: () => string | undefined } | undefined;
}

const TIMEOUT = 15_000;
/** A token that ends within this many milliseconds is worth a word. */
const SOON = 3_600_000;

/** Looks at everything that a deployment says of itself, as far as whoever asks may know. Nothing is changed. */
export async function examineDeployment({ url, fetch, version, session }: Examination): Promise<Finding[]> {
  const address = judgeAddress(url);
  const health = await judging("health", async () => {
    await ask({ url, fetch }, "/healthz", healthSchema);
    return [well("health", "the Worker answers")];
  });
  // What does not answer there is not asked anything else, least of all with a token.
  if (health.some(({ verdict }) => verdict !== "ok")) return [address, ...health];
  const [caller, token] = await judgeToken(session);
  const authorization = caller?.permissions.includes("keys:read") ? session?.held() : undefined;
  const readiness = await judging("readiness", async () => judgeReadiness(await ask({ url, fetch }, "/readyz", readinessSchema, authorization), version));
  const keys = await judging("keys", async () => judgeKeys(caller && session ? await keysFor(caller, session.client) : undefined));
  return [address, ...health, ...readiness, ...token, ...keys];
}

function judgeAddress(url: string): Finding {
  if (url.startsWith("https://")) return well("address", `${url} is https`);
  if (!isInTheClear(url)) return well("address", `${url} is on this machine`);
  return ill("address", "failed", `${url} is not https: tokens and values would cross the network in the clear`, "use its https address");
}

/** What cannot be found out is a finding too. */
async function judging(check: Check, judge: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await judge();
  } catch (error) {
    const { message, hint } = describeError(error);
    return [ill(check, "failed", message, hint)];
  }
}

/** The JSON of a path. That something is not well is an answer too, with 503. */
async function ask<T extends z.ZodType>(at: Pick<Examination, "url" | "fetch">, path: string, schema: T, token?: string): Promise<z.output<T>> {
  const init = token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } };
  return readReply(await fetchReply({ fetch: at.fetch, url: `${at.url.replace(/\/+$/, "")}${path}`, init, timeout: TIMEOUT, signal: undefined }), (json) => {
    const { data, error } = schema.safeParse(json);
    if (error) throw new Mismatch(`/${error.issues[0]?.path.join("/")}`);
    return data;
  });
}

async function judgeToken(session: Examination["session"]): Promise<[caller: Whoami | undefined, found: Finding[]]> {
  if (!session)
    return [
      undefined,
      [
        ill(
          "token",
          "unknown",
          "there is none for this address: only what anybody is told was looked at",
          "set KEYHOLE_URL and KEYHOLE_TOKEN, or `keyhole login`",
        ),
      ],
    ];
  try {
    const caller = await session.client.whoami();
    return [caller, tokenFindings(caller)];
  } catch (error) {
    const { message, hint } = describeError(error);
    return [undefined, [ill("token", "failed", message, hint)]];
  }
}

function tokenFindings({ org, sub, permissions, expires_at }: Whoami): Finding[] {
  const may = permissions.length > 0 ? `may ${permissions.join(" ")}` : "may do nothing";
  const says = `${sub} of ${org} ${may}; it expires: ${relativeTime(expires_at)}`;
  const soon = expires_at !== null && Date.parse(expires_at) - Date.now() < SOON;
  return [soon ? ill("token", "warning", says, "get a new one before it ends") : well("token", says)];
}

async function keysFor({ permissions }: Whoami, client: Client): Promise<KeysReply | undefined> {
  return permissions.includes("keys:read") ? client.keys.usage() : undefined;
}

function judgeKeys(reply: KeysReply | undefined): Finding[] {
  if (!reply) return [ill("keys", "unknown", "only a token with keys:read is told of them", "ask with a token that has keys:read")];
  const { keys, counted } = reply;
  const wrong = keys.filter(({ available }) => !available);
  const old = keys.filter(({ current, available, versions, archives, seals }) => !current && available && versions + archives + seals > 0);
  const found = [
    ...wrong.map(({ id, versions }) =>
      ill("keys", "failed", `${id} is not in the keyring, or is another key: ${versions} versions cannot be opened`, "put it back into KEYRING"),
    ),
    ...old.map(({ id, versions }) =>
      ill("keys", "warning", `${versions} versions are still under ${id}, an old key`, "`keyhole keys rewrap`, or wait for the scheduled run"),
    ),
  ];
  const current = keys.find(({ current }) => current)?.id ?? "none";
  return found.length > 0 ? found : [well("keys", `everything of the ${counted} is under the current key, ${current}`)];
}
