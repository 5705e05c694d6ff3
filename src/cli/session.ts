import { type Client, createClient, type OnEmptyScopes, type TokenProvider } from "../client/create-client.ts";
import { isInTheClear } from "../contract/in-the-clear.ts";
import { usageError } from "./cli-error.ts";
import { exchangedToken } from "./exchanged-token.ts";
import { isLocalProfile, needsDeployment, wantedDeployment } from "./local/wants-local.ts";
import { parseToken } from "./parse-token.ts";
import { readProfiles, readProfileToken, wantedProfile } from "./profiles.ts";
import { findProject, type Project } from "./project-file.ts";
import { proxiedFetch, proxyFor } from "./proxied-fetch.ts";
import { tellingExpiry } from "./telling-expiry.ts";

/** The deployment that a command talks to. */
export interface Session {
  readonly client: Client;
  readonly url: string;
  readonly token: TokenProvider;
  /** The token that was given last to send with a request, if there was one. */
  readonly held: () => string | undefined;
  /** Where the address and the token come from, for people. */
  readonly source: string;
}

/** What a command may change about how it talks. */
export interface SessionOptions {
  readonly profile?: string | undefined;
  /** Whether a token may cross the network in the clear. */
  readonly insecure?: boolean | undefined;
  readonly retries?: number;
  /** Whether the command is about this machine and a deployment: then KEYHOLE_PROFILE=local does not say which. */
  readonly besideLocal?: boolean;
  /** Told which of the scopes of a resolve nobody has declared or used. */
  readonly onEmptyScopes?: OnEmptyScopes;
}

/** Opens the deployment that the environment names, or else the saved profile. */
export async function openSession({ profile, besideLocal = false, ...options }: SessionOptions): Promise<Session> {
  const { url, token, source } = await findDeployment(besideLocal ? wantedDeployment(profile) : wantedProfile(profile), options.retries);
  let held = typeof token === "string" ? token : undefined;
  const given: TokenProvider = typeof token === "string" ? token : async (rejected) => (held = await token(rejected));
  return { client: clientFor(url, given, options), url, token, held: () => held, source };
}

/**
 * Opens the deployment at an address, if the environment or a saved profile has a token for that one: a token goes to no
 * other, and to none in the clear.
 */
export async function openSessionAt(url: string, options: SessionOptions): Promise<Session | undefined> {
  if (!URL.canParse(url)) throw usageError("the address is not an http or https URL", "for example https://keyhole.example");
  if (!options.insecure && isInTheClear(url)) return undefined;
  const { KEYHOLE_URL, KEYHOLE_TOKEN } = process.env;
  const { default: usual, profiles } = readProfiles();
  const wanted = wantedProfile(options.profile);
  const isThere = (name: string | undefined) => name !== undefined && isSameAddress(profiles[name]?.url ?? "", url);
  const usualUrl = KEYHOLE_URL || profiles[wanted ?? usual ?? ""]?.url;
  if (KEYHOLE_TOKEN && usualUrl === undefined) {
    const token = parseToken("KEYHOLE_TOKEN", KEYHOLE_TOKEN);
    return { client: clientFor(url, token, options), url, token, held: () => token, source: "KEYHOLE_TOKEN" };
  }
  if (KEYHOLE_TOKEN || KEYHOLE_URL) return isSameAddress(usualUrl ?? "", url) ? openSession(options) : undefined;
  const name = (wanted === undefined ? [usual, ...Object.keys(profiles)] : [wanted]).find(isThere);
  return name === undefined ? undefined : openSession({ ...options, profile: name });
}

/** A client for an address that a person gave. Nothing has been sent there yet. */
export function clientFor(url: string, token: TokenProvider, { insecure, ...options }: Omit<SessionOptions, "profile" | "besideLocal"> = {}): Client {
  const client = createFor(url, typeof token === "string" ? tellingExpiry(token) : token, options);
  if (!insecure && isInTheClear(url))
    throw usageError(`${url} is not https: the token and every value would cross the network in the clear`, "use its https address; --insecure if you mean it");
  // What is wrong with the proxy is said before anything is sent.
  proxyFor(new URL(url), process.env);
  return client;
}

function createFor(url: string, token: TokenProvider, options: Pick<SessionOptions, "retries" | "onEmptyScopes">): Client {
  try {
    return createClient({ baseUrl: url, token, fetch: proxiedFetch, ...options });
  } catch {
    throw usageError("the address is not an http or https URL", "for example https://keyhole.example");
  }
}

async function findDeployment(name: string | undefined, retries: number | undefined): Promise<Omit<Session, "client" | "held">> {
  const { KEYHOLE_URL, KEYHOLE_TOKEN } = process.env;
  if (isLocalProfile(name)) throw needsDeployment("this");
  if (name === undefined && !KEYHOLE_URL && !KEYHOLE_TOKEN && !process.env.KEYHOLE_TRUST) return findProjectDeployment(findProject());
  return findNamed(name, retries);
}

/**
 * The deployment of a project: one that the user logged in to, whatever the file says. It may have come from a stranger
 * with a repository, so that its address is only ever compared with those for which there is a token.
 */
async function findProjectDeployment(project: Project | undefined): Promise<Omit<Session, "client" | "held">> {
  if (project?.url === undefined) return findNamed(project?.profile, undefined);
  const { url, path } = project;
  const { default: usual, profiles } = readProfiles();
  const names = Object.entries(profiles).flatMap(([name, saved]) => (isSameAddress(saved.url, url) ? name : []));
  const name = names.find((one) => one === (project.profile ?? usual)) ?? (project.profile === undefined ? names[0] : undefined);
  if (name !== undefined) return findNamed(name, undefined);
  throw usageError(
    `${path} names ${url}, for which there is no token${project.profile === undefined ? "" : ` in a profile ${project.profile}`}`,
    `if you know that address, \`keyhole login\` to it; --profile names another deployment`,
  );
}

async function findNamed(name: string | undefined, retries: number | undefined): Promise<Omit<Session, "client" | "held">> {
  const { KEYHOLE_URL, KEYHOLE_TOKEN } = process.env;
  const saved = name === undefined && KEYHOLE_URL && (KEYHOLE_TOKEN || process.env.KEYHOLE_TRUST) ? undefined : findProfile(name);
  const url = KEYHOLE_URL || saved?.profile.url;
  if (!url) throw usageError("there is no deployment to talk to", "`keyhole login https://…`, or set KEYHOLE_URL and KEYHOLE_TOKEN; --local does without one");
  if (KEYHOLE_TOKEN) return { url, token: parseToken("KEYHOLE_TOKEN", KEYHOLE_TOKEN), source: "KEYHOLE_TOKEN" };
  const exchanged = exchangedToken(url, retries);
  if (exchanged) return { url, token: exchanged, source: "KEYHOLE_TRUST" };
  if (!saved) throw usageError("there is no token", "set KEYHOLE_TOKEN, or `keyhole login`");
  if (!isSameAddress(url, saved.profile.url))
    throw usageError(`KEYHOLE_URL is not the address for which profile ${saved.name} has a token`, "set KEYHOLE_TOKEN too, or unset KEYHOLE_URL");
  return { url, token: await readProfileToken(saved.name, saved.profile), source: `profile ${saved.name}` };
}

function findProfile(wanted: string | undefined) {
  const { default: usual, profiles } = readProfiles();
  const name = wanted ?? usual;
  const profile = name !== undefined && Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (profile && name !== undefined) return { name, profile };
  if (wanted === undefined) return undefined;
  const known = Object.keys(profiles);
  throw usageError(`there is no profile ${wanted}`, known.length ? `there is: ${known.join(", ")}` : `keyhole login --profile ${wanted} https://…`);
}

function isSameAddress(a: string, b: string): boolean {
  return URL.canParse(a) && URL.canParse(b) && addressOf(new URL(a)) === addressOf(new URL(b));
}

function addressOf({ origin, pathname }: URL): string {
  return origin + pathname.replace(/\/+$/, "");
}
