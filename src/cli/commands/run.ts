import { KeyholeError, type ResolveRequest } from "../../client/create-client.ts";
import type { LeftOut } from "../../contract/left-out.ts";
import { envName, type SecretName } from "../../contract/secret-name.ts";
import { answerWithin } from "../answer-within.ts";
import { childEnvironment } from "../child-environment.ts";
import { CliError, usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { readEnvFile, requestsOfEnvFile } from "../env-file.ts";
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
import { type Given, runWatched } from "../watch/run-watched.ts";
import { type Watcher, watchRequests } from "../watch/watch-requests.ts";
import { withServices } from "../with-services.ts";

/** The signals at which programs read anew what they are made of. */
const WATCH_SIGNALS = ["SIGHUP", "SIGUSR1", "SIGUSR2"] as const;

/** `keyhole run`. */
export const run = command({
  description: "Run a command with every applicable secret in its environment, and with nothing else changed",
  examples: [
    "keyhole run --use openai,github-git -- claude",
    "keyhole run -- npm start",
    "keyhole run --scope repo:acme/api --mask -- ./deploy.sh",
    "keyhole run --only DATABASE_URL --fallback -- ./server",
    "keyhole run --env-file .env.keyhole -- npm start",
    "keyhole run --watch --scope namespace:prod -- ./server",
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
    watch: { type: "boolean", description: "start the command again when a secret that it was given has changed" },
    signal: { type: "enum", options: WATCH_SIGNALS, description: "with --watch, send it this signal instead" },
    interval: { type: "string", valueHint: "DURATION", default: "10s", description: "with --watch, how often the service is asked" },
    "pass-token": { type: "boolean", description: "leave the variables that Keyhole and the job's identity token come from in the command's environment" },
  },
  async run({ profile, insecure, secrets, mask, fallback, strict, replace, ...options }, { all, child, given, local }) {
    const [file, ...args] = child;
    if (!file) throw usageError("there is no command to run", "keyhole run [OPTIONS] -- COMMAND [ARGUMENTS]");
    const maxAge = parseDuration("--fallback-max-age", options["fallback-max-age"]);
    const only = all("only");
    const { required = [], optional = [] } = local || !secrets || only.length > 0 ? {} : (findProject(undefined, refuseDoubted) ?? {});
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
    const gather = async (): Promise<Given> => {
      const variables = !wanted ? {} : local ? await variablesHere(all("scope"), request.names, strict === true) : await ask();
      if (wanted) requireAll(required, variables);
      const { plain, secrets: referred } =
        envFile === undefined ? { plain: {}, secrets: {} } : await readEnvFile(envFile, async () => (await openSession({ profile, insecure })).client);
      Object.assign(variables, referred);
      return { variables, env: childEnvironment(process.env, variables, passToken, plain), masked: mask ? Object.values(variables) : undefined };
    };
    const often = watchOf(options);
    const asked = async () => [...(wanted ? [request] : []), ...(envFile === undefined ? [] : await requestsOfEnvFile(envFile))];
    const watcher = often && (await beginToWatch({ profile, insecure }, await asked(), fallback === true));
    const first = await gather();
    const start = (what: Given, get: typeof gather, replace: boolean) =>
      often && watcher ? runWatched(file, args, what, { ...often, watcher, gather: get }) : runChild(file, args, what.env, { masked: what.masked, replace });
    if (!used) return start(first, gather, replace !== false);
    const session = await openSession({ profile, insecure });
    return withServices(session, used, seconds, (own, ownToken) => {
      const withOwn = ({ variables, env, masked }: Given): Given => {
        const both = Object.keys(own).find((name) => Object.hasOwn(variables, name));
        if (both !== undefined) throw usageError(`both a secret and a service are ${both}`, "name the secrets that you want with --only");
        return { variables, env: { ...env, ...own }, masked: masked && [...masked, ownToken] };
      };
      // It has to be there when the command ends.
      return start(withOwn(first), async () => withOwn(await gather()), false);
    });
  },
});

/** How `--watch` is to be done, if it is. */
function watchOf({ watch, signal, interval }: { watch?: boolean | undefined; signal?: NodeJS.Signals | undefined; interval: string }) {
  const seconds = parseDuration("--interval", interval, 86_400);
  if (seconds === 0) throw usageError("--interval is too short", "at least one second: --interval 1s");
  if (signal !== undefined && !watch) throw usageError("--signal is for --watch", "add --watch, or leave it out");
  if (signal !== undefined && process.platform === "win32")
    throw usageError("Windows has no signals for that", "without --signal the command is started again");
  return watch ? { signal, interval: seconds } : undefined;
}

async function beginToWatch(options: SessionOptions, requests: readonly ResolveRequest[], fallback: boolean): Promise<Watcher> {
  if (requests.length === 0) throw usageError("there is nothing to watch", "--watch is for a command that gets secrets");
  const { client, url } = await openSession({ ...options, ...(fallback && { retries: RETRIES }) });
  return watchRequests(client, requests, fallback ? (ask) => answerWithin(PATIENCE, url, ask) : undefined);
}

/** Without the names in a project file a command would get everything that applies. */
function refuseDoubted(message: string): never {
  throw usageError(message, "make the file your own, or name with --only what the command is to have");
}

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
