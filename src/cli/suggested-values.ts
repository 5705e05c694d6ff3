import type { Permission } from "../contract/permissions.ts";
import { answerWithin } from "./answer-within.ts";
import type { Place } from "./complete.ts";
import type { Suggested } from "./define-command.ts";
import { wantsLocal } from "./local/wants-local.ts";
import { readProfiles } from "./profiles.ts";
import { openSession, type Session } from "./session.ts";
import { claimsPermission } from "./token-claims.ts";

/** Milliseconds that somebody at a shell waits for suggestions. */
const PATIENCE = 2_000;

/** How the scopes begin, which need no deployment to be known. */
const KINDS = ["global", "team:", "namespace:", "agent:", "repo:"];

/** How many are suggested at most: a shell shows no more. */
const MOST = 200;

/** What the deployment is asked for. */
type Listed = Exclude<Suggested, "file" | "profile">;

/** What a token needs to list them. */
const NEEDED = {
  ...{ scope: "secrets:read", secret: "secrets:read", service: "secrets:read", store: "secrets:read" },
  ...{ trust: "trusts:write", login: "trusts:write", webhook: "webhooks:write" },
} as const satisfies Record<Listed, Permission>;

/** The values that the deployment or this machine has for a place of the command line. */
export async function suggestedValues({ asks, given, typed }: Place): Promise<readonly string[]> {
  if (asks === undefined || asks === "file") return [];
  if (asks === "profile") return ["local", ...Object.keys(readProfiles().profiles)];
  const known = asks === "scope" ? KINDS : [];
  if (wantsLocal(given.has("local"), given.get("profile"))) return known;
  try {
    const session = await openSession({ profile: given.get("profile"), insecure: given.has("insecure"), retries: 0 });
    return [...known, ...(await answerWithin(PATIENCE, session.url, () => listed(session, asks, given.get("scope"), typed)))];
  } catch {
    // At a prompt there is nobody to tell: what cannot be had is not suggested.
    return known;
  }
}

/** A token that may not list them would leave a refusal in the audit log at each press of a key. */
async function listed({ client, held }: Session, asks: Listed, scope: string | undefined, typed: string): Promise<string[]> {
  if (!claimsPermission(held(), NEEDED[asks])) return [];
  if (asks === "scope") return (await client.scopes.list({ limit: MOST })).scopes.map(({ scope }) => scope);
  if (asks === "secret") return (await client.secrets.list({ scope, ...(typed && { prefix: typed }), limit: MOST })).secrets.map(({ name }) => name);
  if (asks === "service") return namesOf(client.services.listAll());
  if (asks === "store") return namesOf(client.stores.listAll());
  if (asks === "trust") return namesOf(client.trusts.listAll());
  if (asks === "login") return namesOf(client.logins.listAll());
  return namesOf(client.webhooks.listAll());
}

async function namesOf(all: AsyncIterable<{ readonly name: string }>): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of all) if (names.push(name) >= MOST) break;
  return names;
}
