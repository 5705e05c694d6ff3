import type { LoginBody, PutTrust, TrustBody } from "../../client/create-client.ts";
import { readClaim } from "../../contract/claim-path.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { note, printJson } from "../output.ts";
import { parseDuration } from "../parse-duration.ts";
import { printFields, printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { readText } from "../read-text.ts";
import { relativeTime } from "../relative-time.ts";
import { openSession } from "../session.ts";
import { tokenClaims } from "../token-claims.ts";
import { YES_ARG } from "./delete.ts";
import { GRANT_ARGS, grantOf, LEASE_ARG, leaseSecondsOf } from "./token.ts";

const NAME_ARG = { name: { type: "positional", suggests: "trust", description: "the name of the trust" } } as const;

/** The option for what claims must be. */
export const CLAIM_ARG = {
  claim: {
    type: "string",
    valueHint: "CLAIM=PATTERN",
    repeatable: true,
    description: "what a claim must be; a trailing * matches any rest; /a/b is b in a; may be repeated",
  },
} as const;

const put = command({
  description: "Trust an OIDC issuer: its identity tokens are exchanged for Keyhole tokens",
  examples: [
    "keyhole trust put github --issuer https://token.actions.githubusercontent.com --claim repository_owner=acme --permissions secrets:resolve --scopes 'repo:${repository}'",
  ],
  args: {
    ...NAME_ARG,
    issuer: { type: "string", valueHint: "URL", description: "the issuer, exactly as its tokens name it" },
    audience: { type: "string", valueHint: "TEXT", description: "what the identity token's aud must hold, if not this deployment's address" },
    ...CLAIM_ARG,
    "jwks-url": { type: "string", valueHint: "URL", description: "where its keys are, if not where its configuration says" },
    jwks: { type: "string", valueHint: "FILE", description: "its keys, for an issuer that the internet cannot see; - for standard input" },
    reuse: { type: "enum", options: ["once", "until-expiry"], description: "how often one identity token is exchanged [once at GitHub]" },
    ...GRANT_ARGS,
    ttl: { type: "string", valueHint: "DURATION", default: "15m", description: "how long an exchanged token is valid, up to 24h" },
    ...LEASE_ARG,
  },
  async run({ name, issuer, audience, "jwks-url": jwks_url, jwks, reuse, ttl, "lease-seconds": lease, profile, insecure, json }, { all, each }) {
    if (issuer === undefined) throw usageError("--issuer is missing", "for example --issuer https://token.actions.githubusercontent.com");
    const said = { issuer, audience, reuse, jwks_url, jwks: jwks === undefined ? undefined : readKeys(await readText(jwks, "json")) };
    const lasts = { expires_in: parseDuration("--ttl", ttl), lease_seconds: leaseSecondsOf(lease) };
    const wanted = { ...said, claims: claimsOf(each), ...grantOf(all), ...lasts };
    const { client } = await openSession({ profile, insecure });
    const trust = await client.trusts.put(name, wanted);
    if (json) printJson(trust);
    else note(`Tokens of ${trust.issuer} that match are exchanged under ${name}.`);
  },
});

const get = command({
  description: "Show a trust",
  examples: ["keyhole trust get github"],
  args: NAME_ARG,
  async run({ name, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const trust = await client.trusts.get(name);
    if (json) return printJson(trust);
    printFields([
      ["name", trust.name],
      ["issuer", trust.issuer],
      ["audience", trust.audience],
      ...ruleFields(trust),
      ["valid for", `${trust.expires_in} seconds`],
      ["reuse", trust.reuse],
      ...(trust.jwks_url === null ? [] : [["keys", trust.jwks_url] as const]),
      ...(trust.jwks === null ? [] : [["keys", `${trust.jwks.keys.length} given`] as const]),
      ["leases", trust.lease_seconds === 0 ? "only when asked for" : `${trust.lease_seconds} seconds`],
      ...(trust.suspended ? [["suspended", "the token that made it was revoked; put it again to go on"] as const] : []),
      ["updated", `${relativeTime(trust.updated_at)} by ${trust.updated_by}`],
    ]);
  },
});

const list = command({
  description: "List the trusts",
  examples: ["keyhole trust list"],
  async run({ profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const trusts = [];
    for await (const trust of client.trusts.listAll()) trusts.push(trust);
    if (json) return printJson(trusts);
    const rows = trusts.map(({ name, issuer, permissions, secret_scopes }) => [name, issuer, permissions.join(" "), secret_scopes?.join(" ") ?? "all"]);
    printTable(["NAME", "ISSUER", "PERMISSIONS", "SCOPES"], rows, "No trusts.");
  },
});

const remove = command({
  description: "Delete a trust and revoke the tokens that were exchanged under it",
  examples: ["keyhole trust delete github"],
  args: { ...NAME_ARG, ...YES_ARG },
  async run({ name, profile, insecure, json, yes }) {
    const { client } = await openSession({ profile, insecure });
    await askToConfirm(`Delete trust ${name} and revoke its tokens?`, yes);
    await client.trusts.delete(name);
    if (json) printJson({ deleted: name });
    else note(`Deleted trust ${name}.`);
  },
});

const test = command({
  description: "Say what an identity token would be exchanged for, and which condition fails",
  examples: ["keyhole trust test github < identity-token"],
  args: NAME_ARG,
  async run({ name, profile, insecure, json }) {
    const token = (await readText("-", "dotenv")).trim();
    if (token === "") throw usageError("standard input is empty", "`keyhole trust test NAME < FILE`, where the file holds an identity token");
    const { client } = await openSession({ profile, insecure });
    const tested = await client.trusts.test(name, token);
    const code = tested.accepted ? EXIT.ok : EXIT.refused;
    if (json) {
      printJson(tested);
      return code;
    }
    const claims = tokenClaims(token) ?? {};
    const rows = tested.conditions.map(({ claim, pattern, matched }) => [
      claim,
      pattern,
      JSON.stringify(readClaim(claims, claim)) ?? "not there",
      matched ? "yes" : "no",
    ]);
    if (rows.length > 0) printTable(["CLAIM", "MUST BE", "IS", "MATCHES"], rows, "");
    for (const { template, scope } of tested.secret_scopes ?? [])
      note(scope === null ? `${template} is not filled: a claim is missing, or no name` : `${template} becomes ${scope}`);
    note(tested.accepted ? "It would be exchanged." : `It would be refused: ${tested.refusal}.`);
    return code;
  },
});

const refusals = command({
  description: "Show why identity tokens were refused under a trust lately",
  examples: ["keyhole trust refusals github"],
  args: NAME_ARG,
  async run({ name, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const found = await client.trusts.refusals(name);
    if (json) return printJson(found);
    const rows = found.map(({ reason, about, count, last_at }) => [reason, about ?? "", String(count), relativeTime(last_at)]);
    printTable(["REASON", "ABOUT", "TIMES", "LAST"], rows, "No refusals since the trust last changed.");
  },
});

/** `keyhole trust …`. */
export const trust = command({ description: "Say which OIDC issuers are trusted", subCommands: { put, get, list, test, refusals, delete: remove } });

/** A JWK Set, which the service judges. */
function readKeys(text: string): NonNullable<PutTrust["jwks"]> {
  try {
    return JSON.parse(text) as NonNullable<PutTrust["jwks"]>;
  } catch {
    throw usageError("--jwks is not JSON", 'a JWK Set is {"keys": [{"kty": …}]}');
  }
}

/** The claims that the option says. */
export function claimsOf(each: (option: string) => string[]): Record<string, string> {
  return Object.fromEntries(each("claim").map(splitClaim));
}

/** What claims have to be, and what that gives, as it is printed. */
export function ruleFields({ claims, permissions, secret_scopes, secret_names, services }: TrustBody | LoginBody): [string, string][] {
  const pairs = Object.entries(claims).map((pair) => pair.join("="));
  return [
    ["claims", pairs.join(" ")],
    ["permissions", permissions.join(" ")],
    ["scopes", secret_scopes?.join(" ") ?? "all"],
    ["names", secret_names?.join(" ") ?? "all"],
    ["services", services?.join(" ") ?? "all"],
  ];
}

function splitClaim(text: string): [string, string] {
  const [, claim, pattern] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (claim === undefined || pattern === undefined) throw usageError("--claim is not CLAIM=PATTERN", "for example --claim repository_owner=acme");
  return [claim, pattern];
}
