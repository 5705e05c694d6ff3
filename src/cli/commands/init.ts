import { appendFileSync, existsSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { parse } from "dotenv";
import { secretNameSchema } from "../../contract/secret-name.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { exampleOf, writeExample } from "../example-file.ts";
import { suggestRepo } from "../local/suggest-repo.ts";
import { note, printJson } from "../output.ts";
import { readProfiles } from "../profiles.ts";
import { checkProject, PROJECT_FILE } from "../project-file.ts";
import { askText, canAsk } from "../prompt.ts";
import { requireScope, SCOPES_ARG } from "../scope-args.ts";

/** `keyhole init`. */
export const init = command({
  description: "Write keyhole.json for this folder: which deployment, which scopes, and which secrets `run` takes; and keep .env out of git",
  examples: ["keyhole init", "keyhole init --scope repo:acme/api --scope namespace:dev --require DATABASE_URL --optional SENTRY_DSN"],
  common: ["profile", "json"],
  args: {
    scope: {
      ...SCOPES_ARG.scope,
      description: "a scope to search; the first one is written to [asked for]",
    },
    require: {
      type: "string",
      valueHint: "NAMES",
      repeatable: true,
      description: "secrets that `run` needs, separated by commas [the names in .env, where there is one]",
    },
    optional: { type: "string", valueHint: "NAMES", repeatable: true, description: "secrets that `run` takes where they are there, separated by commas" },
  },
  async run({ profile, json }, { all }) {
    if (lstatSync(PROJECT_FILE, { throwIfNoEntry: false })) throw usageError(`there is a ${PROJECT_FILE} already`, "change it by hand, or remove it first");
    const url = addressOf(profile);
    const scopes = all("scope").length > 0 ? all("scope") : [await askScope()];
    const required = all("require").length > 0 ? all("require") : existsSync(".env") ? namesIn(readFileSync(".env", "utf8")) : [];
    const optional = all("optional");
    for (const scope of scopes) requireScope(scope);
    for (const name of [...required, ...optional])
      if (!secretNameSchema.safeParse(name).success) throw usageError(`${name} is not the name of a secret`, "letters, digits, '_', '.' and '-'");
    const settings = checkProject({ ...(url !== undefined && { url }), scopes, required, optional }, PROJECT_FILE);
    writeFileSync(PROJECT_FILE, `${JSON.stringify(settings, null, 2)}\n`, { flag: "wx", mode: 0o644 });
    note(`Wrote ${PROJECT_FILE}. It has no secret: commit it.`);
    ignoreEnv();
    if (required.length + optional.length > 0) writeExample(".", exampleOf(required, optional));
    if (json) printJson(settings);
  },
});

/** The address that the project is for: that of the profile, or what the environment says. */
function addressOf(profile: string | undefined): string | undefined {
  const { default: usual, profiles } = readProfiles();
  if (profile === undefined && process.env.KEYHOLE_URL) return process.env.KEYHOLE_URL;
  const name = profile ?? process.env.KEYHOLE_PROFILE ?? usual;
  const saved = name !== undefined && Object.hasOwn(profiles, name) ? profiles[name] : undefined;
  if (saved === undefined && profile !== undefined) throw usageError(`there is no profile ${profile}`, "`keyhole login` saves one");
  return saved?.url;
}

async function askScope(): Promise<string> {
  if (!canAsk()) throw usageError("the scope is not named", "for example --scope repo:acme/api");
  return askText("Which scope", "repo:acme/api", suggestRepo(process.cwd()));
}

/**
 * The names that a `.env` file sets, as a program that reads it has them. They are committed, and so nothing that may be a part
 * of a value is taken for one: a key that stands there without quotes has lines that look like names.
 */
function namesIn(text: string): string[] {
  const variables = Object.entries(parse(text));
  const withoutLines = variables.reduce((left, [, value]) => (value.includes("\n") ? left.replace(value, () => "") : left), text.replaceAll("\r\n", "\n"));
  if (withoutLines.split("\n").some((line) => !IS_LINE.test(line)))
    throw usageError(".env has lines that are no variables", "name the secrets with --require; a value of several lines stands in quotes");
  return variables.map(([name]) => name);
}

/** A line that sets a variable, or nothing. */
const IS_LINE = /^\s*(?:#.*|(?:export\s+)?[\w.-]+\s*[=:].*)?$/;

/** Has git leave `.env` out. */
function ignoreEnv(): void {
  const there = lstatSync(".gitignore", { throwIfNoEntry: false });
  if (there && !there.isFile()) {
    note("warning: .gitignore is no file, but a link or something else, which git does not read: .env is not left out");
    return;
  }
  const before = there ? readFileSync(".gitignore", "utf8") : "";
  // The last line that is about it counts.
  const last = before.split(/\r?\n/).findLast((line) => /^!?\/?\.env\*?\s*$/.test(line));
  if (last !== undefined && !last.startsWith("!")) return;
  appendFileSync(".gitignore", `${before === "" || before.endsWith("\n") ? "" : "\n"}.env\n`);
  note("Added .env to .gitignore.");
}
