import type { LoginBody } from "../../client/create-client.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { note, printJson, printLine } from "../output.ts";
import { parseDuration } from "../parse-duration.ts";
import { printFields, printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { relativeTime } from "../relative-time.ts";
import { openSession } from "../session.ts";
import { YES_ARG } from "./delete.ts";
import { GRANT_ARGS, grantOf } from "./token.ts";
import { CLAIM_ARG, claimsOf, ruleFields } from "./trust.ts";

const NAME_ARG = { name: { type: "positional", suggests: "login", description: "the name of the login" } } as const;

const set = command({
  description: "Let people log in by an OpenID provider, or change how; prints the address that the provider sends them back to",
  examples: [
    "keyhole logins set google --issuer https://accounts.google.com --client-id 1234.apps.googleusercontent.com --secret GOOGLE_CLIENT_SECRET --ask email --claim hd=acme.example --permissions secrets:read,secrets:write",
  ],
  args: {
    ...NAME_ARG,
    issuer: { type: "string", valueHint: "URL", description: "the provider, exactly as its configuration names it" },
    "client-id": { type: "string", valueHint: "TEXT", description: "what this deployment is called at the provider" },
    secret: { type: "string", valueHint: "NAME", suggests: "secret", description: "the secret that has the client's secret; without it by PKCE alone" },
    "secret-scope": { type: "string", valueHint: "SCOPE", suggests: "scope", description: "the scope of that secret [global]" },
    ask: {
      type: "string",
      valueHint: "LIST",
      repeatable: true,
      description: "what is asked of the provider beside openid, separated by commas, such as email",
    },
    ...CLAIM_ARG,
    ...GRANT_ARGS,
    ttl: { type: "string", valueHint: "DURATION", default: "12h", description: "how long somebody stays logged in at the most, up to 12h" },
  },
  async run({ name, issuer, "client-id": client_id, secret, "secret-scope": scope, ttl, profile, insecure, json }, { all, each }) {
    if (issuer === undefined) throw usageError("--issuer is missing", "for example --issuer https://accounts.google.com");
    if (client_id === undefined) throw usageError("--client-id is missing", "the provider shows it where this deployment is registered");
    if (scope !== undefined && secret === undefined) throw usageError("--secret-scope without --secret", "--secret NAME says which secret of that scope it is");
    const client_secret = secret === undefined ? undefined : { scope: scope ?? "global", name: secret };
    const rules = { claims: claimsOf(each), ...grantOf(all), expires_in: parseDuration("--ttl", ttl) };
    const { client } = await openSession({ profile, insecure });
    const login = await client.logins.put(name, { issuer, client_id, client_secret, scopes: all("ask"), ...rules });
    if (json) return printJson(login);
    note(`People whose claims match log in by ${name}. The provider needs this as the redirect URI:`);
    printLine(login.callback);
  },
});

const get = command({
  description: "Show a login",
  examples: ["keyhole logins get google"],
  args: NAME_ARG,
  async run({ name, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const login = await client.logins.get(name);
    if (json) return printJson(login);
    const { client_secret } = login;
    printFields([
      ["name", login.name],
      ["issuer", login.issuer],
      ["client id", login.client_id],
      ["secret", client_secret === null ? "none: by PKCE alone" : `${client_secret.name} of ${client_secret.scope}`],
      ["asks for", ["openid", ...login.scopes].join(" ")],
      ...ruleFields(login),
      ["valid for", `${login.expires_in} seconds`],
      ["redirect URI", login.callback],
      ...(login.suspended ? [["suspended", "the token that made it was revoked; set it again to go on"] as const] : []),
      ["updated", `${relativeTime(login.updated_at)} by ${login.updated_by}`],
    ]);
  },
});

const list = command({
  description: "List the logins",
  examples: ["keyhole logins list"],
  async run({ profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const logins: LoginBody[] = [];
    for await (const login of client.logins.listAll()) logins.push(login);
    if (json) return printJson(logins);
    const rows = logins.map(({ name, issuer, permissions, suspended }) => [name, issuer, permissions.join(" "), suspended ? "suspended" : "in force"]);
    printTable(["NAME", "ISSUER", "PERMISSIONS", "STATE"], rows, "No logins.");
  },
});

const remove = command({
  description: "Delete a login, and end the sessions and tokens of who logged in by it",
  examples: ["keyhole logins delete google"],
  args: { ...NAME_ARG, ...YES_ARG },
  async run({ name, profile, insecure, json, yes }) {
    const { client } = await openSession({ profile, insecure });
    await askToConfirm(`Delete login ${name} and end its sessions?`, yes);
    await client.logins.delete(name);
    if (json) printJson({ deleted: name });
    else note(`Deleted login ${name}.`);
  },
});

/** `keyhole logins …`. */
export const logins = command({ description: "Say by which OpenID providers people log in", subCommands: { set, get, list, delete: remove } });
