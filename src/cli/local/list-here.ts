import { printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import { relativeTime } from "../relative-time.ts";
import { placeOf } from "./keep-value.ts";
import { localPlace } from "./local-place.ts";
import { kindOfScope, parseLocalScope, showScope } from "./local-scope.ts";
import { type LocalSecret, readStore } from "./store-file.ts";
import { tellEmpty } from "./tell-empty.ts";

/** What `keyhole list --local` takes. */
interface Given {
  readonly scope?: string | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  readonly prefix?: string | undefined;
  readonly strict?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Which options `keyhole list` takes with `--local`. */
export const LIST_OPTIONS = ["scope", "strict", "kind", "name", "prefix"];

/** `keyhole list --local`. */
export function listHere({ scope, kind, name, prefix = "", strict = false, json }: Given): void {
  const only = scope === undefined ? undefined : parseLocalScope(scope);
  const { secrets: all = [], parents = {} } = readStore(localPlace().path) ?? {};
  if (only !== undefined) tellEmpty({ secrets: all, parents }, [only], strict);
  const secrets = all
    .filter((one) => (only === undefined || one.scope === only) && (kind === undefined || kindOfScope(one.scope) === kind))
    .filter((one) => one.name.startsWith(prefix) && (name === undefined || one.name === name))
    .sort((a, b) => compare(a.name, b.name) || compare(a.scope, b.scope))
    .map(shownSecret);
  if (json) printJson(secrets);
  else
    printTable(
      ["NAME", "SCOPE", "CREATED", "UPDATED", "KEPT IN"],
      secrets.map((one) => [one.name, one.scope, relativeTime(one.created_at), relativeTime(one.updated_at), one.kept_in]),
      "No secrets.",
    );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What is shown of a secret: never its value. */
export function shownSecret(secret: LocalSecret) {
  const { name, created_at, updated_at } = secret;
  return { name, scope: showScope(secret.scope), created_at, updated_at, kept_in: placeOf(secret) };
}
