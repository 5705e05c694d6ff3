import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { secretNameSchema } from "../../contract/secret-name.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { exampleOf, writeExample } from "../example-file.ts";
import { suggestRepo } from "../local/suggest-repo.ts";
import { note, printJson } from "../output.ts";
import { readProfiles } from "../profiles.ts";
import { PROJECT_FILE, type ProjectSettings } from "../project-file.ts";
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
    if (existsSync(PROJECT_FILE)) throw usageError(`there is a ${PROJECT_FILE} already`, "change it by hand, or remove it first");
    const url = addressOf(profile);
    const scopes = all("scope").length > 0 ? all("scope") : [await askScope()];
    const required = all("require").length > 0 ? all("require") : existsSync(".env") ? namesIn(readFileSync(".env", "utf8")) : [];
    const optional = all("optional");
    for (const scope of scopes) requireScope(scope);
    for (const name of [...required, ...optional])
      if (!secretNameSchema.safeParse(name).success) throw usageError(`${name} is not the name of a secret`, "letters, digits, '_', '.' and '-'");
    const settings = { ...(url !== undefined && { url }), scopes, required, optional };
    writeFileSync(PROJECT_FILE, `${JSON.stringify(settings satisfies Settings, null, 2)}\n`, { flag: "wx", mode: 0o644 });
    note(`Wrote ${PROJECT_FILE}. It has no secret: commit it.`);
    ignoreEnv();
    if (required.length + optional.length > 0) writeExample(".", exampleOf(required, optional));
    if (json) printJson(settings);
  },
});

/** What is written, before it is known that all of it is what it should be. */
type Settings = { readonly [K in keyof ProjectSettings]: K extends "url" | "profile" ? string : readonly string[] };

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

/** The names that a `.env` file sets. Of its values nothing is looked at. */
function namesIn(text: string): string[] {
  return [...new Set([...text.matchAll(/^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_.-]*)\s*=/gm)].flatMap(([, name]) => name ?? []))];
}

/** Has git leave `.env` out. */
function ignoreEnv(): void {
  const before = existsSync(".gitignore") ? readFileSync(".gitignore", "utf8") : "";
  if (before.split(/\r?\n/).some((line) => /^\/?\.env\*?$/.test(line.trim()))) return;
  writeFileSync(".gitignore", `${before}${before === "" || before.endsWith("\n") ? "" : "\n"}.env\n`);
  note("Added .env to .gitignore.");
}
