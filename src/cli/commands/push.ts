import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { type Candidate, type Compared, comparePush } from "../local/compare-push.ts";
import { deleteLocal } from "../local/delete-local.ts";
import { linksOf } from "../local/links-of.ts";
import { localPlace } from "../local/local-place.ts";
import { showScope } from "../local/local-scope.ts";
import { findCandidates } from "../local/push-local.ts";
import { readStore } from "../local/store-file.ts";
import { suggestRepo } from "../local/suggest-repo.ts";
import { type PushedSecret, writePush } from "../local/write-push.ts";
import { endProgress, note, printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { askText, askToConfirm, canAsk } from "../prompt.ts";
import { requireWriting } from "../require-writing.ts";
import { openSession } from "../session.ts";
import { YES_ARG } from "./delete.ts";

/** `keyhole push`. */
export const push = command({
  description: "Copy the secrets of this machine (--local) to a deployment: shows first what would happen, and asks",
  examples: ["keyhole push --dry-run", "keyhole push --as repo:acme/api", "keyhole push --scope repo:~/code/api --as repo:acme/api --yes --delete"],
  args: {
    scope: { type: "string", alias: "s", valueHint: "SCOPE", repeatable: true, description: "only this scope of this machine; may be repeated" },
    only: { type: "string", valueHint: "NAMES", repeatable: true, description: "only these names, separated by commas" },
    as: {
      type: "string",
      valueHint: "[FROM=]TO",
      repeatable: true,
      description: "which scope of the deployment a scope of this machine is, as repo:~/code/api=repo:acme/api; may be repeated [asked for]",
    },
    overwrite: { type: "boolean", description: "replace values that differ there" },
    delete: { type: "boolean", description: "then delete here what is there" },
    "dry-run": { type: "boolean", description: "say what would happen and change nothing" },
    ...YES_ARG,
  },
  async run({ profile, insecure, json, overwrite = false, yes, "dry-run": dryRun = false, delete: deletes = false }, { all, each }) {
    const { client, url } = await openSession({ profile, insecure, besideLocal: true });
    await requireWriting(client);
    const place = localPlace();
    const only = all("only");
    const placing = { given: each("as"), suggest: suggestRepo, ask: canAsk() ? askForScope : undefined };
    const candidates = await findCandidates(place, { scopes: each("scope"), names: only.length > 0 ? only : undefined }, placing);
    const compared = await comparePush(client, candidates).finally(endProgress);
    if (!json) showPlan(compared, overwrite);
    const writes = compared.filter(({ state }) => state === "new" || (state === "different" && overwrite)).length;
    if (dryRun) return end(compared, [], { json, dryRun, url });
    if (writes > 0 || deletes) await askToConfirm(question(writes, url, deletes), yes);
    const pushed = await writePush(client, compared, overwrite).finally(endProgress);
    const gone = deletes ? pushed.filter(isThere) : [];
    for (const { secret } of gone) await deleteLocal(place, secret);
    for (const link of linksOf(readStore(place.path)?.parents ?? {}, pushed)) note(link);
    return end(pushed, gone, { json, dryRun, url });
  },
});

function askForScope(scope: Candidate["secret"]["scope"], suggestion: string | undefined): Promise<string> {
  return askText(`Which repository of the deployment is ${showScope(scope)}?`, "repo:OWNER/NAME", suggestion);
}

function question(writes: number, url: string, deletes: boolean): string {
  const what = `Write ${writes} ${writes === 1 ? "secret" : "secrets"} to ${url}`;
  return deletes ? `${what}, and delete here what is there then?` : `${what}?`;
}

/** Whether the deployment has this value now. */
function isThere({ state }: PushedSecret): boolean {
  return state === "written" || state === "replaced" || state === "same";
}

const PLANNED: Readonly<Record<Compared["state"], string>> = {
  new: "created",
  same: "unchanged",
  different: "left as it is: it has another value there (--overwrite replaces it)",
  reserved: "left out: the deployment reserves the name",
};

function showPlan(compared: readonly Compared[], overwrite: boolean): void {
  const rows = compared.map(({ secret, to, state }) => [
    secret.name,
    showScope(secret.scope),
    to,
    state === "different" && overwrite ? "replaced" : PLANNED[state],
  ]);
  printTable(["NAME", "FROM", "TO", "WOULD BE"], rows, "");
}

interface Ending {
  readonly json: boolean | undefined;
  readonly dryRun: boolean;
  readonly url: string;
}

/** Says what became of all of it. What the deployment has not got in the end makes it a failure. */
function end(pushed: readonly PushedSecret[], gone: readonly PushedSecret[], { json, dryRun, url }: Ending): number {
  const of = (...states: PushedSecret["state"][]) => pushed.filter(({ state }) => states.includes(state)).length;
  const secrets = pushed.map((one) => ({
    name: one.secret.name,
    from: showScope(one.secret.scope),
    to: one.to,
    state: one.state,
    deleted: gone.includes(one),
  }));
  if (json) printJson({ url, dry_run: dryRun, secrets });
  else if (!dryRun)
    note(
      `${url}: ${of("written")} created, ${of("replaced")} replaced, ${of("same")} unchanged, ${of("different", "reserved")} left out. Here ${gone.length} deleted${gone.length === 0 ? "; --delete does that" : ""}.`,
    );
  return of("different", "reserved") > 0 ? EXIT.failed : EXIT.ok;
}
