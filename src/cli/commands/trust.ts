import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { note, printJson } from "../output.ts";
import { parseDuration } from "../parse-duration.ts";
import { printFields, printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { relativeTime } from "../relative-time.ts";
import { openSession } from "../session.ts";
import { YES_ARG } from "./delete.ts";
import { GRANT_ARGS, grantOf } from "./token.ts";

const NAME_ARG = { name: { type: "positional", description: "the name of the trust" } } as const;

const put = command({
  description: "Trust an OIDC issuer: its identity tokens are exchanged for Keyhole tokens",
  examples: [
    "keyhole trust put github --issuer https://token.actions.githubusercontent.com --claim repository_owner=acme --permissions secrets:resolve --scopes 'repo:${repository}'",
  ],
  args: {
    ...NAME_ARG,
    issuer: { type: "string", valueHint: "URL", description: "the issuer, exactly as its tokens name it" },
    audience: { type: "string", valueHint: "TEXT", default: "keyhole", description: "what the identity token's aud must hold" },
    claim: { type: "string", valueHint: "CLAIM=PATTERN", description: "what a claim must be; a trailing * matches any rest; may be repeated" },
    ...GRANT_ARGS,
    ttl: { type: "string", valueHint: "DURATION", default: "15m", description: "how long an exchanged token is valid, up to 24h" },
  },
  async run({ name, issuer, audience, ttl, profile, insecure, json }, { all, each }) {
    if (issuer === undefined) throw usageError("--issuer is missing", "for example --issuer https://token.actions.githubusercontent.com");
    const request = { issuer, audience, claims: Object.fromEntries(each("claim").map(splitClaim)), ...grantOf(all), expires_in: parseDuration("--ttl", ttl) };
    const { secret_scopes, ...rest } = request;
    const { client } = await openSession({ profile, insecure });
    const trust = await client.trusts.put(name, { ...rest, ...(secret_scopes && { secret_scopes: [...secret_scopes] }) });
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
      [
        "claims",
        Object.entries(trust.claims)
          .map((pair) => pair.join("="))
          .join(" "),
      ],
      ["permissions", trust.permissions.join(" ")],
      ["scopes", trust.secret_scopes?.join(" ") ?? "all"],
      ["names", trust.secret_names?.join(" ") ?? "all"],
      ["valid for", `${trust.expires_in} seconds`],
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

/** `keyhole trust …`. */
export const trust = command({ description: "Say which OIDC issuers are trusted", subCommands: { put, get, list, delete: remove } });

function splitClaim(text: string): [string, string] {
  const [, claim, pattern] = /^([^=]+)=(.+)$/s.exec(text) ?? [];
  if (claim === undefined || pattern === undefined) throw usageError("--claim is not CLAIM=PATTERN", "for example --claim repository_owner=acme");
  return [claim, pattern];
}
