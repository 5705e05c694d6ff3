import type { CreateToken, SomeLimits } from "../../client/create-client.ts";
import { narrowToken } from "../../client/narrow-token.ts";
import { leaseSecondsSchema } from "../../contract/claims.ts";
import { LIMITS } from "../../contract/limits.ts";
import { PERMISSIONS } from "../../contract/permission.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { clean, note, printJson, printLine } from "../output.ts";
import { parseDuration, parseTime } from "../parse-duration.ts";
import { printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { proxiedFetch } from "../proxied-fetch.ts";
import { relativeTime, showTime, TIME_ARG } from "../relative-time.ts";
import { openSession } from "../session.ts";
import { YES_ARG } from "./delete.ts";

/** The options that say what a grant covers. */
export const GRANT_ARGS = {
  permissions: { type: "string", valueHint: "LIST", repeatable: true, description: `what it may do, separated by commas: ${PERMISSIONS.join(", ")}` },
  scopes: { type: "string", valueHint: "PATTERNS", repeatable: true, description: "only these scopes, separated by commas; a trailing * matches any rest" },
  names: { type: "string", valueHint: "PATTERNS", repeatable: true, description: "only these names, separated by commas; a trailing * matches any rest" },
  services: { type: "string", valueHint: "PATTERNS", repeatable: true, description: "only these services, separated by commas; a trailing * matches any rest" },
} as const;

/** The option for clients that cannot ask for a lease by themselves. */
export const LEASE_ARG = {
  "lease-seconds": { type: "string", valueHint: "SECONDS", default: "0", description: "the lease of a resolve that says nothing of leases, 0 to 300" },
} as const;

/** The seconds of that option. */
export function leaseSecondsOf(text: string): number {
  if (!leaseSecondsSchema.safeParse(text === "" ? undefined : Number(text)).success)
    throw usageError("--lease-seconds is not a number of seconds up to 300", "for example --lease-seconds 60");
  return Number(text);
}

/** The grant that options describe. */
export function grantOf(all: (option: string) => string[]): Pick<CreateToken, "permissions"> & SomeLimits {
  const permissions = all("permissions").flatMap((text) => text.split(/\s+/)) as CreateToken["permissions"];
  if (permissions.length === 0) throw usageError("--permissions is missing", "for example --permissions secrets:resolve");
  return { permissions, ...limitsOf(all) };
}

/** The limits that options describe: those that are given. */
function limitsOf(all: (option: string) => string[]): SomeLimits {
  const given = Object.values(LIMITS).map(({ field, of }) => [field, all(of)] as const);
  return Object.fromEntries(given.filter(([, patterns]) => patterns.length > 0));
}

const create = command({
  description: "Mint a token for a pipeline or a gateway; it is printed this once",
  examples: ["keyhole token create ci-payments --permissions secrets:resolve --scopes repo:acme/payments --ttl 30d"],
  args: {
    label: { type: "positional", description: "who will use it; the audit log names it" },
    ...GRANT_ARGS,
    ttl: { type: "string", valueHint: "DURATION", default: "1h", description: "how long it is valid: 90, 15m, 24h, 30d; up to 365d" },
    ...LEASE_ARG,
  },
  async run({ label, ttl, "lease-seconds": lease, profile, insecure, json }, { all }) {
    const request = { label, ...grantOf(all), expires_in: parseDuration("--ttl", ttl), lease_seconds: leaseSecondsOf(lease) };
    const { client } = await openSession({ profile, insecure });
    const created = await client.tokens.create(request);
    if (json) return printJson(created);
    printLine(clean(created.token));
    note(`${created.id}, expires ${relativeTime(created.expires_at)}. This token is not shown again.`);
  },
});

const narrow = command({
  description: "Make a narrower token of your own: it ends with yours. What is left out is as yours has it",
  examples: ["keyhole token narrow --permissions secrets:resolve --scopes repo:acme/payments --ttl 2h"],
  args: {
    ...GRANT_ARGS,
    ttl: { type: "string", valueHint: "DURATION", description: "how long it is valid, no longer than yours: 90, 15m, 24h" },
  },
  async run({ ttl, profile, insecure, json }, { all }) {
    const permissions = all("permissions").flatMap((text) => text.split(/\s+/));
    const asked = { ...(permissions.length > 0 && { permissions }), ...limitsOf(all), ...(ttl !== undefined && { expires_in: parseDuration("--ttl", ttl) }) };
    const { url, token } = await openSession({ profile, insecure });
    const own = typeof token === "string" ? token : await token();
    const made = await narrowToken({ baseUrl: url, token: own, fetch: proxiedFetch, ...asked });
    if (json) return printJson(made);
    printLine(clean(made.access_token));
    note(`Valid for ${made.expires_in} seconds, for ${made.scope}. This token is not shown again.`);
  },
});

const list = command({
  description: "List the tokens that were minted, without the tokens themselves",
  examples: ["keyhole token list"],
  args: TIME_ARG,
  async run({ time, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const tokens = [];
    for await (const token of client.tokens.listAll()) tokens.push(token);
    if (json) return printJson(tokens);
    const when = showTime(time);
    const rows = tokens.map((token) => [
      token.id,
      token.label,
      token.permissions.join(" "),
      token.secret_scopes?.join(" ") ?? "all",
      token.revoked_at ? `revoked ${when(token.revoked_at)}` : `expires ${when(token.expires_at)}`,
    ]);
    printTable(["ID", "LABEL", "PERMISSIONS", "SCOPES", ""], rows, "No tokens.");
  },
});

const revoke = command({
  description: "Revoke a token, all of a subject, or all that were issued until a time; from the next request on",
  examples: [
    "keyhole token revoke tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c",
    "keyhole token revoke --subject token:ci-payments",
    "keyhole token revoke --issued-before 2026-11-21T12:00:00Z",
  ],
  args: {
    id: { type: "positional", required: false, description: "the token's id, from `keyhole token list`" },
    unlisted: { type: "boolean", description: "the id may be that of a token in no list" },
    subject: { type: "string", valueHint: "SUBJECT", description: "all tokens of a subject, also later ones" },
    issuer: { type: "string", valueHint: "URL", description: "another issuer whose token or subject it is" },
    "issued-before": { type: "string", valueHint: "TIME", description: "all of the organization that were issued until then, or so long ago (30d)" },
    ...YES_ARG,
  },
  async run({ id, unlisted, subject, issuer, "issued-before": before, profile, insecure, json, yes }) {
    const given = [id, subject, before].filter((each) => each !== undefined);
    if (given.length !== 1) throw usageError("say what to revoke: an id, --subject or --issued-before, one of them", "keyhole token list");
    const { client } = await openSession({ profile, insecure });
    const issued_before = before === undefined ? undefined : parseTime("--issued-before", before, { sign: -1 });
    const what = id ?? (subject === undefined ? `all tokens issued until ${issued_before}` : `all tokens of ${subject}`);
    await askToConfirm(`Revoke ${what}?`, yes);
    if (id !== undefined && unlisted !== true && issuer === undefined) {
      await client.tokens.revoke(id);
      return json ? printJson({ revoked: id }) : note(`Revoked ${id}.`);
    }
    const { suspended_trusts, ...revocation } = await client.revocations.create({ token_id: id, subject, issued_before, issuer });
    if (json) return printJson({ ...revocation, suspended_trusts });
    note(`Revoked ${what}.`);
    if (suspended_trusts.length > 0) note(`Suspended ${suspended_trusts.join(", ")}: put them again with a good token to go on.`);
  },
});

const revocations = command({
  description: "List what was revoked, newest first",
  examples: ["keyhole token revocations"],
  args: TIME_ARG,
  async run({ time, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const all = [];
    for await (const each of client.revocations.listAll()) all.push(each);
    if (json) return printJson(all);
    const rows = all.map(({ kind, token_id, subject, trust, issued_before, issuer, revoked_at }) => [
      kind,
      token_id ?? subject ?? trust ?? issued_before ?? "",
      issuer ?? "",
      showTime(time)(revoked_at),
    ]);
    printTable(["KIND", "REVOKED", "ISSUER", ""], rows, "Nothing was revoked.");
  },
});

/** `keyhole token …`. */
export const token = command({ description: "Mint, list and revoke tokens", subCommands: { create, narrow, list, revoke, revocations } });
