import { MAX_LISTED } from "../../contract/object.ts";
import { GLOBAL } from "../../contract/scope.ts";
import { isKindWord } from "../../contract/vault-path.ts";
import type { Caller } from "../access/caller.ts";
import { listLevel, selectAnyAmbiguous, selectAnyIn } from "../store/object-list.ts";
import { rowsOf } from "../store/run-batch.ts";
import type { TextRange } from "../store/secret-list.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { exactRange, intersect, prefixRange, rangesOf } from "../transaction/text-ranges.ts";

/** The kinds of scopes that have a folder of their own. */
const KINDS = ["agent", "namespace", "team"] as const;

/** Which part of a list is asked for. */
export interface ListPage {
  /** The last key of the part before. */
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/**
 * Lists one level of the paths of objects, in the order of their bytes: objects by name, and with a `/` at their end the
 * folders that others are in. Repositories are at the top, bare and once; those whose path begins with a word of a kind are in
 * `repo/`. Each is there as soon as it was ever written and until it is purged as an object, within the grant.
 *
 * What is read grows with the keys of the level, and not with the objects below it.
 *
 * @param prefix The segments of the folder, none for the top.
 * @throws {Problem} `forbidden`, `storage-unavailable`.
 */
export async function listObjects(
  needs: CallerNeeds,
  caller: Caller,
  prefix: readonly string[],
  { after, limit = MAX_LISTED }: ListPage = {},
): Promise<Page<string, string>> {
  caller.require("secrets:read");
  const most = Math.min(limit, MAX_LISTED);
  const beyond = after ?? "";
  const level = levelOf(prefix);
  if (level === undefined) return { rows: [], next: null };
  const ranges = intersect(rangesOf(caller.secretScopes), prefixRange(level.from));
  const within = { org: caller.org, from: level.from, after: beyond, limit: most + 1, ambiguous: level.ambiguous };
  const statements = [...ranges.map((range) => listLevel(needs.db, { ...within, range })), ...(prefix.length === 0 ? topStatements(needs.db, caller) : [])];
  const results = await readForCaller(needs, caller, statements);
  const found = results.slice(0, ranges.length).flatMap((result) => rowsOf<{ readonly key: string }>(result).map(({ key }) => key));
  const folders = prefix.length === 0 ? TOP.filter((_, n) => rowsOf(results[ranges.length + n]).length > 0) : [];
  const keys = [...new Set([...found, ...folders])].filter((key) => key > beyond).sort((a, b) => (a < b ? -1 : 1));
  return pageOf(keys, most, (key) => key);
}

/** What is at the top beside repositories, in the order of {@link topStatements}. */
const TOP: readonly string[] = [...KINDS.map((kind) => `${kind}/`), GLOBAL, "repo/"];

function topStatements(db: D1Database, { org, secretScopes }: Caller): D1PreparedStatement[] {
  const covered = rangesOf(secretScopes);
  const within = (range: TextRange) => intersect(covered, range);
  return [
    ...KINDS.map((kind) => selectAnyIn(db, org, within(prefixRange(`${kind}:`)))),
    selectAnyIn(db, org, within(exactRange(GLOBAL))),
    selectAnyAmbiguous(db, org, within(prefixRange("repo:"))),
  ];
}

/** The scopes of a folder begin so; `undefined` of what can be none. */
function levelOf(prefix: readonly string[]): { readonly from: string; readonly ambiguous: "only" | "never" | "also" } | undefined {
  const [first, ...rest] = prefix;
  if (first === undefined) return { from: "repo:", ambiguous: "never" };
  if (!isKindWord(first)) return { from: `repo:${prefix.join("/")}/`, ambiguous: "also" };
  if (first === "repo") return rest.length === 0 ? { from: "repo:", ambiguous: "only" } : { from: `repo:${rest.join("/")}/`, ambiguous: "also" };
  return KINDS.some((kind) => kind === first) && rest.length === 0 ? { from: `${first}:`, ambiguous: "also" } : undefined;
}
