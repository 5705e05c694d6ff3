import { KeyholeError } from "../../client/create-client.ts";
import type { LeftOut } from "../../contract/left-out.ts";
import { envName, type SecretName } from "../../contract/secret-name.ts";
import { answerWithin } from "../answer-within.ts";
import { childEnvironment } from "../child-environment.ts";
import { CliError, usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { readEnvFile } from "../env-file.ts";
import { EXIT } from "../exit-code.ts";
import { type FallbackRequest, openFallback } from "../fallback.ts";
import { RUN_OPTIONS, variablesHere } from "../local/variables-here.ts";
import { locating } from "../locate.ts";
import { parseDuration } from "../parse-duration.ts";
import { findProject, PROJECT_FILE } from "../project-file.ts";
import { runChild } from "../run-child.ts";
import { SCOPES_ARG, scopesOf } from "../scope-args.ts";
import { openSession, type SessionOptions } from "../session.ts";
import { tellGaps } from "../tell-gaps.ts";
import { isIncomplete, noteBase64 } from "../warn-left-out.ts";
import { withServices } from "../with-services.ts";

/** `keyhole run`. */
export const run = command({
  description: "Run a command with every applicable secret in its environment, and with nothing else changed",
  examples: [
    "keyhole run --use openai,github-git -- claude",
    "keyhole run -- npm start",
    "keyhole run --scope repo:acme/api --mask -- ./deploy.sh",
    "keyhole run --only DATABASE_URL --fallback -- ./server",
    "keyhole run --env-file .env.keyhole -- npm start",
    "keyhole run --local -- npm start",
  ],
  local: RUN_OPTIONS,
  common: ["profile", "insecure"],
  takesChild: true,
  surplus: { message: "the command to run comes after --", hint: "keyhole run [OPTIONS] -- COMMAND [ARGUMENTS]" },
  args: {
    ...SCOPES_ARG,
    only: { type: "string", valueHint: "NAMES", repeatable: true, suggests: "secret", description: "only these secrets, separated by commas" },
    "env-file": {
      type: "string",
      valueHint: "FILE",
      description:
        "variables from this .env file, in which keyhole://SCOPE/NAME is that secret. No other secret is injected then unless --scope or --only says so",
    },
    secrets: { type: "boolean", default: true, description: "inject secrets", negativeDescription: "inject none, and do not ask the service" },
    strict: { type: "boolean", description: "do not run the command when a scope is empty (exit code 3), or a secret is left out, expired for example (6)" },
    mask: { type: "boolean", description: "replace values in what the command prints with [masked]; its output is then no terminal" },
    fallback: { type: "boolean", description: "keep the answer, encrypted for this machine, and use it when the service cannot be reached" },
    "fallback-max-age": { type: "string", valueHint: "DURATION", default: "24h", description: "how old a kept answer may be" },
    replace: {
      type: "boolean",
      default: true,
      description: "let the command take keyhole's place",
      negativeDescription: "stay the command's parent, where it would take keyhole's place",
    },
    use: {
      type: "string",
      valueHint: "SERVICES",
      repeatable: true,
      suggests: "service",
      description:
        "services that it uses without holding their keys: with a token that can do nothing else. No secret is injected then unless --scope or --only says so",
    },
    for: { type: "string", valueHint: "DURATION", default: "12h", description: "with --use, how long that token lives; it is revoked when the command ends" },
    "pass-token": { type: "boolean", description: "leave the variables that Keyhole and the job's identity token come from in the command's environment" },
  },
  async run({ profile, insecure, secrets, mask, fallback, strict, replace, ...options }, { all, child, given, local }) {
    const [file, ...args] = child;
    if (!file) throw usageError("there is no command to run", "keyhole run [OPTIONS] -- COMMAND [ARGUMENTS]");
    const maxAge = parseDuration("--fallback-max-age", options["fallback-max-age"]);
    const only = all("only");
    const { required = [], optional = [] } = local || only.length > 0 ? {} : (findProject() ?? {});
    const listed = [...new Set<string>([...required, ...optional])];
    const names = only.length > 0 ? only : listed.length > 0 ? listed : undefined;
    const request = { scopes: local ? undefined : scopesOf(all("scope")), names, ...(listed.length > 0 && { allow_missing: true }) };
    const used = options.use === undefined ? undefined : all("use");
    const passToken = options["pass-token"] === true;
    if (used && passToken) throw usageError("with --use the command has a token that can do nothing else, and not your own", "leave out --pass-token");
    const seconds = parseDuration("--for", options.for);
    const envFile = options["env-file"];
    const named = given.includes("scope") || only.length > 0;
    const wanted = secrets && (named || (!used && envFile === undefined));
    const ask = () => resolveVariables({ profile, insecure, strict: strict === true }, request, fallback === true, maxAge);
    const variables = !wanted ? {} : local ? await variablesHere(all("scope"), request.names, strict === true) : await ask();
    if (wanted) requireAll(required, variables);
    const { plain, secrets: referred } =
      envFile === undefined ? { plain: {}, secrets: {} } : await readEnvFile(envFile, async () => (await openSession({ profile, insecure })).client);
    Object.assign(variables, referred);
    const env = childEnvironment(process.env, variables, passToken, plain);
    const masked = mask ? Object.values(variables) : undefined;
    if (!used) return runChild(file, args, env, { masked, replace: replace !== false });
    const session = await openSession({ profile, insecure });
    return withServices(session, used, seconds, (own, ownToken) => {
      const both = Object.keys(own).find((name) => Object.hasOwn(variables, name));
      if (both !== undefined) throw usageError(`both a secret and a service are ${both}`, "name the secrets that you want with --only");
      // It has to be there when the command ends.
      return runChild(file, args, { ...env, ...own }, { masked: masked && [...masked, ownToken], replace: false });
    });
  },
});

/** Refuses to run a command without what the project file says that it needs. */
function requireAll(required: readonly SecretName[], variables: Readonly<Record<string, string>>): void {
  const missing = required.filter((name) => !Object.hasOwn(variables, envName(name)));
  if (missing.length > 0)
    throw new CliError(
      `${missing.join(", ")}: required by ${PROJECT_FILE}, and not there`,
      "`keyhole explain NAME` shows where it is looked for",
      EXIT.notFound,
    );
}

/** Milliseconds for a service that may be down, and how often it is asked again, when there is something to fall back on. */
const PATIENCE = 10_000;
const RETRIES = 1;

type Asking = SessionOptions & { readonly strict: boolean };

async function resolveVariables({ strict, ...options }: Asking, request: FallbackRequest, fallback: boolean, maxAge: number): Promise<Record<string, string>> {
  const found = { emptyScopes: [] as string[], leftOut: [] as LeftOut[], more: 0 };
  const onEmptyScopes = (scopes: readonly string[]) => void found.emptyScopes.push(...scopes);
  const session = await openSession({ ...options, onEmptyScopes, ...(fallback && { retries: RETRIES }) });
  const { client, url, token } = session;
  const onLeftOut = (names: readonly LeftOut[], more: number) => {
    // What is kept is a whole answer: it is better than one with holes, and is not replaced by that.
    if (fallback && isIncomplete(names)) throw new KeyholeError("storage-unavailable", "Some values cannot be had now.", { status: 503 });
    Object.assign(found, { leftOut: names, more });
  };
  const ask = (signal?: AbortSignal) =>
    locating(client, request.names ?? [], request.scopes ?? [], () => client.resolveEnv(request, { signal, onLeftOut, onBase64: noteBase64 }));
  if (fallback) {
    const kept = await openFallback({ url, token, request });
    const whole = async () => ({ variables: await answerWithin(PATIENCE, url, ask), gaps: found });
    // No scope that is spelled alike is looked for: that would take time which a job has for its answer.
    return kept.keepOrUse(whole, { maxAge, now: Date.now(), tell: (gaps) => tellGaps(gaps, strict) });
  }
  const variables = await ask();
  await tellGaps(found, strict, session);
  return variables;
}
