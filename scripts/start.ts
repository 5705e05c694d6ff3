import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { parseArgs, parseEnv } from "node:util";
import { PERMISSIONS } from "../src/contract/permission.ts";
import { countStoredValues, startLocally } from "./local-deployment.ts";
import { makeSecrets, secretLines } from "./make-secrets.ts";
import { DEV_VARS, fail, ROOT, readSecret, readVars } from "./settings.ts";
import { signToken } from "./sign-token.ts";

const HELP = `Serves Keyhole on this machine, with a local D1 and KV.

  npm start -- [--port N] [--persist-to DIR]

  --port N           the port on 127.0.0.1              [8787]
  --persist-to DIR   where the local data is kept       [.wrangler/state]

A var of wrangler.toml that is set in the environment takes the environment's value.
`;

const TOKEN_TTL = 86_400;

const { port, persistTo } = readArguments();
const url = `http://127.0.0.1:${port}`;
await refuseTakenPort(port);
await writeDevVars();
const secrets = parseEnv(readFileSync(DEV_VARS, "utf8")) as Record<string, string>;
const deployment = await startLocally({ port, bindings: { ...readVars(), ...secrets }, persistTo, print: (line) => console.log(line) });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stop());
await printWelcome();
runSchedule();

function readArguments(): { port: number; persistTo: string } {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: "8787" },
        "persist-to": { type: "string", default: join(ROOT, ".wrangler", "state") },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) fail(`${values.port} is not a port`, "npm start -- --port 8788");
    return { port, persistTo: values["persist-to"] };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), "npm start -- --help");
  }
}

async function refuseTakenPort(wanted: number): Promise<void> {
  const free = await new Promise<boolean>((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(wanted, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
  if (!free) fail(`port ${wanted} is taken`, "npm start -- --port N, with another port");
}

/** Makes .dev.vars with fresh keys, unless there is data that other keys have sealed. Two starts at once make one file: the second finds the first one's. */
async function writeDevVars(): Promise<void> {
  if (existsSync(DEV_VARS)) return;
  const stored = await countStoredValues(persistTo);
  if (stored > 0) {
    const values = stored === 1 ? "a value that was" : `${stored} values that were`;
    fail(
      `${relative(process.cwd(), DEV_VARS)} is missing, and ${relative(process.cwd(), persistTo)} holds ${values} sealed with the keys in it: with other keys they could never be opened`,
      `put the file back, or delete ${relative(process.cwd(), persistTo)} if its values are not needed any more`,
    );
  }
  const lines = secretLines(await makeSecrets());
  try {
    writeFileSync(DEV_VARS, `${lines}\n`, { mode: 0o600, flag: "wx" });
    console.log(`Made ${relative(process.cwd(), DEV_VARS)} with fresh keys. Without it the local data cannot be opened.`);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

async function stop(): Promise<void> {
  await deployment.stop();
  process.exit(0);
}

async function printWelcome(): Promise<void> {
  const readiness = (await (await fetch(`${url}/readyz`)).json()) as { unusable: { part: string; detail: string }[] };
  for (const { part, detail } of readiness.unusable) console.error(`not ready: ${part}: ${detail}`);
  const signingKey = readSecret("SIGNING_KEY");
  if (!signingKey || readiness.unusable.length > 0) return console.error("hint: fix .dev.vars (or delete it together with the local data) and start again");
  const { ISSUER = "keyhole", AUDIENCE = "keyhole" } = readVars();
  const token = await signToken(signingKey, {
    org: "acme",
    subject: "developer",
    permissions: PERMISSIONS.join(" "),
    ttl: TOKEN_TTL,
    issuer: ISSUER,
    audience: AUDIENCE,
  });
  const bearer = `-H 'Authorization: Bearer ${token}'`;
  console.log(`
Keyhole is ready on ${url}  (read the API at ${url}/docs, stop with Ctrl-C)

A token for the organization "acme" with every permission, valid for a day:
${token}

Set a secret, look at it, and resolve it:

curl -sS -X PUT ${url}/v1/scopes/global/secrets/OPENAI_API_KEY ${bearer} -H 'Content-Type: text/plain' -d 'sk-my-first-secret'

curl -sS ${url}/v1/secrets ${bearer}

curl -sS -X POST ${url}/v1/resolve ${bearer} -H 'Content-Type: application/json' -d '{"names":["OPENAI_API_KEY"]}'
`);
}

/** Cron triggers do not fire by themselves on a local machine: this makes the scheduled run happen each minute, as when deployed. */
function runSchedule(): void {
  const untilNextMinute = 60_000 - (Date.now() % 60_000);
  setTimeout(() => {
    void deployment.runScheduled();
    setInterval(() => void deployment.runScheduled(), 60_000);
  }, untilNextMinute);
}
