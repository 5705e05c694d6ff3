import type { PutStore, StoreBody } from "../../client/create-client.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { note, printJson, printLine } from "../output.ts";
import { printFields, printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { readText } from "../read-text.ts";
import { relativeTime } from "../relative-time.ts";
import { openSession } from "../session.ts";
import { YES_ARG } from "./delete.ts";

const NAME_ARG = { name: { type: "positional", suggests: "store", description: "the name of the store" } } as const;

const set = command({
  description: "Make or replace a store: a place outside where values live",
  examples: ["keyhole store set vault-prod --file vault.json"],
  args: { ...NAME_ARG, file: { type: "string", valueHint: "FILE", description: "all of it as JSON; - for standard input" } },
  async run({ name, file, profile, insecure, json }) {
    if (file === undefined) throw usageError("--file is missing", "name a file of JSON: docs/stores.md says what is in it");
    const definition = readDefinition(await readText(file, "json"));
    const { client } = await openSession({ profile, insecure });
    const store = await client.stores.put(name, definition);
    if (json) return printJson(store);
    note(`${name} is a store now, ${store.kind}. Does it answer? keyhole store check ${name}`);
    if (store.identity)
      note(`It has to trust the issuer ${store.identity.issuer} for the subject ${store.identity.subject} and the audience ${store.identity.audience}.`);
    if (store.allow.length === 0) note("No scope may have a key of it yet: say in allow which may have which.");
  },
});

const list = command({
  description: "List the stores",
  examples: ["keyhole store list"],
  async run({ profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const stores: StoreBody[] = [];
    for await (const store of client.stores.listAll()) stores.push(store);
    if (json) return printJson(stores);
    printTable(
      ["NAME", "KIND", "WHERE"],
      stores.map((store) => [store.name, store.kind, placeOf(store)]),
      "No stores.",
    );
  },
});

const show = command({
  description: "Show a store",
  examples: ["keyhole store show vault-prod"],
  args: NAME_ARG,
  async run({ name, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const store = await client.stores.get(name);
    if (json) return printJson(store);
    printFields([
      ["name", store.name],
      ["kind", store.kind],
      ["where", placeOf(store)],
      ...(store.role_arn === undefined ? [] : [["role", store.role_arn] as const]),
      ...Object.entries(store.credentials ?? {}).map(
        ([field, given]) => [field, typeof given === "string" ? given : `${given.secret_key_ref.store} in ${given.secret_key_ref.scope}`] as const,
      ),
      ...(store.identity ? [["identity", `${store.identity.issuer} ${store.identity.subject} for ${store.identity.audience}`] as const] : []),
      ...store.allow.map(({ scopes, keys }) => ["allows", `${scopes.join(" ")}: ${keys.join(" ")}`] as const),
      ["writes", writesOf(store)],
      ["updated", `${relativeTime(store.updated_at)} by ${store.updated_by}`],
    ]);
  },
});

const check = command({
  description: "Try a store, and say what fails: the address, the credential or the permission; no value is shown",
  examples: ["keyhole store check vault-prod", "keyhole store check aws-prod --key prod/database"],
  args: { ...NAME_ARG, key: { type: "string", valueHint: "KEY", description: "a key to be read; without it keys are listed" } },
  async run({ name, key, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const found = await client.stores.check(name, key);
    if (json) printJson(found);
    else {
      printLine(found.ok ? "ok" : `fails: ${found.fails}`);
      note(found.detail);
    }
    return found.ok ? EXIT.ok : EXIT.failed;
  },
});

const remove = command({
  description: "Delete a store; what is in it stays as it is",
  examples: ["keyhole store delete vault-prod"],
  args: { ...NAME_ARG, ...YES_ARG },
  async run({ name, profile, insecure, json, yes }) {
    const { client } = await openSession({ profile, insecure });
    await askToConfirm(`Delete store ${name}?`, yes);
    await client.stores.delete(name);
    if (json) printJson({ deleted: name });
    else note(`Deleted store ${name}.`);
  },
});

/** `keyhole store …`. */
export const store = command({ description: "Say where values live outside", subCommands: { set, list, show, check, delete: remove } });

function writesOf({ write }: StoreBody): string {
  if (write === undefined) return "in the scopes that were in it before its definition said so";
  return write ? "in the scopes that are put in it" : "none: it is only read from";
}

function placeOf({ address, mount, namespace, vault_url, region, endpoint }: StoreBody): string {
  const parts = [address, namespace, mount, vault_url, region, endpoint];
  return parts.filter((part) => part !== undefined).join(" ");
}

/** A definition, which the service judges. */
function readDefinition(text: string): PutStore {
  try {
    return JSON.parse(text) as PutStore;
  } catch {
    throw usageError("--file is not JSON", '{"kind": "vault", "address": "https://vault.example.com", "mount": "secret", "credentials": {…}}');
  }
}
