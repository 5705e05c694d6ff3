import type { CreateToken } from "../../client/tokens.ts";
import { PERMISSIONS } from "../../contract/permission.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { note, printJson, printLine } from "../output.ts";
import { parseDuration } from "../parse-duration.ts";
import { printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { relativeTime } from "../relative-time.ts";
import { openSession } from "../session.ts";
import { YES_ARG } from "./delete.ts";

/** The options that say what a grant covers. */
export const GRANT_ARGS = {
  permissions: { type: "string", valueHint: "LIST", description: `what it may do, separated by commas: ${PERMISSIONS.join(", ")}` },
  scopes: { type: "string", valueHint: "PATTERNS", description: "only these scopes, separated by commas; a trailing * matches any rest" },
  names: { type: "string", valueHint: "PATTERNS", description: "only these names, separated by commas; a trailing * matches any rest" },
} as const;

/** The grant that options describe. */
export function grantOf(all: (option: string) => string[]): Pick<CreateToken, "permissions" | "secret_scopes" | "secret_names"> {
  const permissions = all("permissions").flatMap((text) => text.split(/\s+/)) as CreateToken["permissions"];
  if (permissions.length === 0) throw usageError("--permissions is missing", "for example --permissions secrets:resolve");
  const [scopes, names] = [all("scopes"), all("names")];
  return { permissions, ...(scopes.length > 0 && { secret_scopes: scopes }), ...(names.length > 0 && { secret_names: names }) };
}

const create = command({
  description: "Mint a token for a pipeline or a gateway; it is printed this once",
  examples: ["keyhole token create ci-payments --permissions secrets:resolve --scopes repo:acme/payments --ttl 30d"],
  args: {
    label: { type: "positional", description: "who will use it; the audit log names it" },
    ...GRANT_ARGS,
    ttl: { type: "string", valueHint: "DURATION", default: "1h", description: "how long it is valid: 90, 15m, 24h, 30d; up to 365d" },
  },
  async run({ label, ttl, profile, insecure, json }, { all }) {
    const request = { label, ...grantOf(all), expires_in: parseDuration("--ttl", ttl) };
    const { client } = await openSession({ profile, insecure });
    const created = await client.tokens.create(request);
    if (json) return printJson(created);
    printLine(created.token);
    note(`${created.id}, expires ${relativeTime(created.expires_at)}. This token is not shown again.`);
  },
});

const list = command({
  description: "List the tokens that were minted, without the tokens themselves",
  examples: ["keyhole token list"],
  async run({ profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const tokens = [];
    for await (const token of client.tokens.listAll()) tokens.push(token);
    if (json) return printJson(tokens);
    const rows = tokens.map((token) => [
      token.id,
      token.label,
      token.permissions.join(" "),
      token.secret_scopes?.join(" ") ?? "all",
      token.revoked_at ? `revoked ${relativeTime(token.revoked_at)}` : `expires ${relativeTime(token.expires_at)}`,
    ]);
    printTable(["ID", "LABEL", "PERMISSIONS", "SCOPES", ""], rows, "No tokens.");
  },
});

const revoke = command({
  description: "Revoke a token, from the next request on",
  examples: ["keyhole token revoke tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c"],
  args: { id: { type: "positional", description: "the token's id, from `keyhole token list`" }, ...YES_ARG },
  async run({ id, profile, insecure, json, yes }) {
    const { client } = await openSession({ profile, insecure });
    await askToConfirm(`Revoke ${id}?`, yes);
    await client.tokens.revoke(id);
    if (json) printJson({ revoked: id });
    else note(`Revoked ${id}.`);
  },
});

/** `keyhole token …`. */
export const token = command({ description: "Mint, list and revoke tokens", subCommands: { create, list, revoke } });
