import type { ResolveReply } from "../../client/create-client.ts";
import { CliError, usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { tellEmptyScopes } from "../empty-scopes.ts";
import { EXIT, type ExitCode } from "../exit-code.ts";
import { locating } from "../locate.ts";
import { clean, endProgress, note, printJson, printLine, progress } from "../output.ts";
import { fileSource, filesOf } from "../scan/files-below.ts";
import { findSecrets, type Hit, type Source } from "../scan/find-secrets.ts";
import { objectsOfHistory, sourcesOf, stagedObjects } from "../scan/git-objects.ts";
import { SHORTEST, wantedOf } from "../scan/wanted-values.ts";
import { SCOPES_ARG, scopesOf } from "../scope-args.ts";
import { openSession } from "../session.ts";

/** `keyhole scan`. */
export const scan = command({
  description: "Look for values of secrets in files, and say where they are and whose they are: exit code 1 where there is one",
  examples: ["keyhole scan", "keyhole scan --staged --scope repo:acme/api", "keyhole scan --all build dist", "keyhole scan --history --except LOG_FORMAT"],
  args: {
    path: {
      type: "positional",
      required: false,
      repeatable: true,
      suggests: "file",
      description: "files, and folders with what git has of them; left out: the working folder",
    },
    ...SCOPES_ARG,
    only: { type: "string", valueHint: "NAMES", repeatable: true, suggests: "secret", description: "look for these secrets only, separated by commas" },
    except: {
      type: "string",
      valueHint: "NAMES",
      repeatable: true,
      suggests: "secret",
      description: "do not look for these, which are no secret, separated by commas",
    },
    staged: { type: "boolean", description: "what is staged for the next commit, as it is there" },
    all: { type: "boolean", description: "every file of a folder, also what git does not have or ignores" },
    history: { type: "boolean", description: "all that any branch or tag leads to, with the messages of commits" },
  },
  async run({ profile, insecure, json, staged = false, all = false, history = false }, { all: listed, each }) {
    if ([staged, all, history].filter(Boolean).length > 1) throw usageError("--staged, --all and --history exclude each other", "name one, or none of them");
    const paths = each("path");
    const sources = staged
      ? sourcesOf(stagedObjects(paths))
      : history
        ? sourcesOf(objectsOfHistory(paths))
        : filesOf(paths.length > 0 ? paths : ["."], all).map(fileSource);
    const names = listed("only");
    const session = await openSession({ profile, insecure, onEmptyScopes: (scopes) => tellEmptyScopes(session, scopes, false) });
    const scopes = scopesOf(listed("scope"));
    const request = { scopes, ...(names.length > 0 && { names, allow_missing: true }) };
    const reply = await locating(session.client, names, scopes ?? [], () => session.client.resolve(request));
    const except = new Set(listed("except"));
    const { wanted, short } = wantedOf({ ...reply, secrets: Object.fromEntries(Object.entries(reply.secrets).filter(([name]) => !except.has(name))) });
    const isWhole = tellLeftOut(reply, short);
    if (wanted.length === 0)
      throw new CliError("there is no value to look for", "name scopes with --scope; `keyhole what SCOPE` shows what each has", EXIT.notFound);
    const { hits, looked, unread } = await lookThrough(sources, findSecrets(wanted));
    if (json) printJson({ found: hits, looked_through: looked, unread });
    else for (const { path, line, name, scope } of hits) printLine(`${clean(path)}:${line}: ${name} (${scope})`);
    const kind = history ? "object" : "file";
    const what = `${looked} ${kind}${looked === 1 ? "" : "s"} for ${wanted.length} ${wanted.length === 1 ? "value" : "values"}`;
    note(
      hits.length === 0
        ? `Looked through ${what}, and found none.`
        : `Looked through ${what}, and found ${hits.length}. What was seen by others is to be rotated.`,
    );
    if (unread.length > 0) note(`warning: could not be read: ${unread.join(", ")}`);
    return endingOf(hits, isWhole && unread.length === 0);
  },
});

function endingOf(hits: readonly Hit[], isWhole: boolean): ExitCode {
  if (hits.length > 0) return EXIT.failed;
  return isWhole ? EXIT.ok : EXIT.incomplete;
}

/** Says what is not looked for. Returns whether that is only what is too short, or is nobody's any more. */
function tellLeftOut({ missing, expired = [], unavailable = [] }: ResolveReply, short: readonly string[]): boolean {
  if (short.length > 0) note(`not looked for, because they are shorter than ${SHORTEST} bytes: ${short.join(", ")}`);
  const gone = [...missing, ...expired];
  if (gone.length > 0) note(`not looked for, because they are missing or expired: ${gone.join(", ")}`);
  if (unavailable.length > 0) note(`warning: not looked for, because they cannot be had now: ${unavailable.map(({ name }) => name).join(", ")}`);
  return unavailable.length === 0;
}

async function lookThrough(sources: Iterable<Source> | AsyncIterable<Source>, find: (source: Source) => Promise<Hit[]>) {
  const hits: Hit[] = [];
  const unread: string[] = [];
  let looked = 0;
  for await (const source of sources) {
    progress(`${looked} looked through`);
    try {
      hits.push(...(await find(source)));
      looked++;
    } catch (error) {
      if (!(error instanceof Error && "syscall" in error)) throw error;
      unread.push(source.label);
    }
  }
  endProgress();
  return { hits, looked, unread };
}
