import type { ScopeSync } from "../../client/create-client.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { deleteScopeHere, listScopesHere, putScopeHere } from "../local/place-here.ts";
import { endProgress, note, printJson, progress } from "../output.ts";
import { printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { requireScope } from "../scope-args.ts";
import { openSession } from "../session.ts";
import { comesBack, PURGE_ARG, YES_ARG } from "./delete.ts";

const SCOPE = { scope: { type: "positional", suggests: "scope", description: "global, team:NAME, namespace:NAME, agent:NAME or repo:PATH" } } as const;

const list = command({
  description: "List the scopes that are declared or in use",
  examples: ["keyhole scope list"],
  local: [],
  async run({ profile, insecure, json }, { local }) {
    if (local) return listScopesHere(json);
    const { client } = await openSession({ profile, insecure });
    const scopes = [];
    for await (const scope of client.scopes.listAll()) scopes.push(scope);
    if (json) return printJson(scopes);
    // Most deployments have none in a store.
    const inStores = scopes.some(({ store }) => store !== null);
    const rows = scopes.map(({ scope, parent, secrets, store, prefix }) => {
      return [scope, parent ?? "-", String(secrets), ...(inStores ? [store === null ? "-" : `${store}: ${prefix}`] : [])];
    });
    printTable(["SCOPE", "PARENT", "SECRETS", ...(inStores ? ["STORE"] : [])], rows, "No scopes.");
  },
});

const put = command({
  description: "Put a scope under another, which a resolve then searches too; or its values into a store",
  examples: [
    "keyhole scope put repo:acme/api --parent namespace:prod",
    "keyhole scope put repo:~/code/api --parent namespace:prod --local",
    "keyhole scope put namespace:prod --store vault-prod --prefix prod/",
  ],
  local: ["parent"],
  args: {
    ...SCOPE,
    parent: { type: "string", valueHint: "SCOPE", suggests: "scope", description: "the scope to put it under" },
    store: { type: "string", valueHint: "NAME", description: "the store that its values are kept in from now on" },
    prefix: { type: "string", valueHint: "PREFIX", description: "--store: what its keys begin with there" },
    "out-of-store": { type: "boolean", description: "keep here what is written from now on" },
  },
  async run({ scope, parent, store, prefix, "out-of-store": out = false, profile, insecure, json }, { local }) {
    const given = [parent, store, out || undefined].filter((one) => one !== undefined);
    if (given.length !== 1) {
      const problem = given.length === 0 ? "--parent is missing" : "--parent, --store and --out-of-store do not go together";
      throw usageError(problem, `for example keyhole scope put ${scope} --parent namespace:prod`);
    }
    if ((store === undefined) !== (prefix === undefined)) throw usageError("--store and --prefix go together", '--prefix "" is the whole store');
    if (local && parent !== undefined) return putScopeHere(scope, parent, json);
    const { client } = await openSession({ profile, insecure });
    requireScope(scope);
    if (parent !== undefined) {
      const placed = await client.scopes.put(scope, requireScope(parent));
      return json ? printJson(placed) : note(`${scope} is under ${parent}.`);
    }
    if (store === undefined || prefix === undefined) {
      const placed = await client.scopes.takeFromStore(scope);
      return json ? printJson(placed) : note(`What is written in ${scope} is kept in Keyhole. What is in the store is read from there as before.`);
    }
    const placed = await client.scopes.putInStore(scope, store, prefix);
    if (json) return printJson(placed);
    note(`What is written in ${scope} goes to the store ${store}, under ${prefix === "" ? "the secret's name" : `${prefix}NAME`}.`);
    note(`Is something there already? keyhole scope sync ${scope}`);
  },
});

const sync = command({
  description: "Bring in what a scope's store has; nothing is deleted and no value is read",
  examples: ["keyhole scope sync namespace:prod --dry-run"],
  args: { ...SCOPE, "dry-run": { type: "boolean", description: "say what would happen and change nothing" } },
  async run({ scope, "dry-run": dryRun = false, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    requireScope(scope);
    const created: string[] = [];
    let last = await client.scopes.sync(scope, { dryRun });
    created.push(...last.created);
    // A call makes some of them. One that makes none comes no further.
    while (!dryRun && last.remaining > 0 && last.created.length > 0) {
      progress(`${created.length} created, ${last.remaining} to go …`);
      last = await client.scopes.sync(scope);
      created.push(...last.created);
    }
    endProgress();
    const synced = { ...last, created };
    if (json) printJson(synced);
    else showSync(scope, synced, dryRun);
    return synced.complete && (dryRun || synced.remaining === 0) ? EXIT.ok : EXIT.incomplete;
  },
});

function showSync(scope: string, { created, present, skipped, skipped_more, missing, remaining, complete }: ScopeSync, dryRun: boolean): void {
  // A key is what the store says: it may be anything.
  const shown = (key: string) => (/^[\x21-\x7e]+$/.test(key) ? key : JSON.stringify(key));
  const rows = [
    ...created.map((name) => [name, dryRun ? "would be created" : "created"]),
    ...skipped.map(({ key, reason }) => [shown(key), `left out: ${reason}`]),
    ...missing.map((name) => [name, "not in the store any more"]),
  ];
  printTable(["NAME", ""], rows, "Nothing is there that is not here.");
  if (skipped_more > 0) note(`${skipped_more} more keys are left out.`);
  if (remaining > 0) note(`${remaining} more ${dryRun ? "would be" : "can be"} created.`);
  if (!complete) note("The store has more keys than are listed.");
  note(
    `${scope}: ${created.length} ${dryRun ? "to create" : "created"}, ${present} here already, ${skipped.length + skipped_more} left out, ${missing.length} missing there.`,
  );
}

const remove = command({
  description: "Remove a scope's parent; with --secrets, delete all its secrets",
  examples: ["keyhole scope delete repo:acme/api", "keyhole scope delete namespace:preview --secrets"],
  local: [],
  args: { ...SCOPE, secrets: { type: "boolean", description: "delete its secrets too" }, ...PURGE_ARG, ...YES_ARG },
  async run({ scope, secrets, purge = false, yes, profile, insecure, json }, { local }) {
    if (local) return deleteScopeHere(scope, json);
    requireScope(scope);
    const { client } = await openSession({ profile, insecure });
    if (purge && !secrets) throw usageError("--purge is of the scope's secrets", `for example keyhole scope delete ${scope} --secrets --purge`);
    let deleted = 0;
    let until: string | null = null;
    if (secrets) {
      await askToConfirm(`Delete every secret of ${scope}${purge ? ", for good" : ""}?`, yes);
      for (let remaining = 1; remaining > 0; progress(`${deleted} deleted, ${remaining} to go …`)) {
        const batch = await client.scopes.deleteSecrets(scope, { purge });
        deleted += batch.deleted;
        until ??= batch.deleted_until;
        remaining = batch.deleted > 0 ? batch.remaining : 0;
      }
      endProgress();
    } else await client.scopes.delete(scope);
    if (json) printJson({ scope, deleted, deleted_until: until });
    else if (!secrets) note(`${scope} is under no other scope.`);
    else
      note(
        `Deleted ${deleted} ${deleted === 1 ? "secret" : "secrets"} of ${scope}${deleted === 0 ? "." : comesBack(until, `keyhole undelete NAME --scope ${scope}`, deleted === 1 ? "It" : "They")}`,
      );
  },
});

/** `keyhole scope …`. */
export const scope = command({ description: "Show and arrange scopes", subCommands: { list, put, sync, delete: remove } });
