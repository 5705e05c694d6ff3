import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { PERMISSIONS } from "../src/contract/permission.ts";
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
const WRANGLER = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
const ENVIRONMENT = {
  ...process.env,
  // No telemetry, no update check, no look-up of where this machine is.
  WRANGLER_SEND_METRICS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_HIDE_BANNER: "true",
  // What Node compiled of wrangler the first time is read the next time.
  NODE_COMPILE_CACHE: join(ROOT, "node_modules", ".cache", "node"),
};

const { port, persistTo } = readArguments();
const url = `http://127.0.0.1:${port}`;
await refuseTakenPort(port);
await writeDevVars();
migrate();
const child = serve();
await waitUntilReady(child);
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

/** Makes .dev.vars with fresh keys. Two starts at once make one file: the second finds the first one's. */
async function writeDevVars(): Promise<void> {
  if (existsSync(DEV_VARS)) return;
  const lines = secretLines(await makeSecrets());
  try {
    writeFileSync(DEV_VARS, `${lines}\n`, { mode: 0o600, flag: "wx" });
    console.log(`Made ${relative(process.cwd(), DEV_VARS)} with fresh keys. Without it the local data cannot be opened.`);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}

function migrate(): void {
  const args = [WRANGLER, "d1", "migrations", "apply", "DB", "--local", "--persist-to", persistTo];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: ROOT,
    env: { ...ENVIRONMENT, CI: "true" },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (status !== 0) fail(`the migrations of the local D1 failed:\n${stdout}${stderr}`, `is another instance using ${persistTo}?`);
}

function serve(): ChildProcess {
  const vars = Object.entries(readVars()).flatMap(([name, value]) => (process.env[name] === undefined ? [] : ["--var", `${name}:${value}`]));
  const args = [
    WRANGLER,
    "dev",
    "--ip",
    "127.0.0.1",
    "--port",
    String(port),
    "--inspector-port",
    "0",
    "--persist-to",
    persistTo,
    "--show-interactive-dev-session=false",
    ...vars,
  ];
  const server = spawn(process.execPath, args, { cwd: ROOT, env: ENVIRONMENT, stdio: ["ignore", "pipe", "pipe"] });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => server.kill("SIGTERM"));
  return server;
}

/** Passes the Worker's own lines on, and keeps wrangler's until it is clear that something went wrong. */
async function waitUntilReady(server: ChildProcess): Promise<void> {
  const before: string[] = [];
  let ready = false;
  for (const stream of [server.stdout, server.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on("line", (line) => {
      if (!ready) before.push(line);
      else if (!line.startsWith("[wrangler:info]")) console.log(line);
    });
  }
  server.once("exit", (code, signal) => {
    if (!ready) console.error(before.join("\n"));
    process.exit(ready && (signal === "SIGTERM" || code === 143 || code === 0) ? 0 : 1);
  });
  const deadline = Date.now() + 60_000;
  while (!(await answers())) {
    if (Date.now() > deadline) {
      server.kill("SIGTERM");
      fail(`no answer on ${url} within a minute`, "the lines above say what wrangler was doing");
    }
    await sleep(100);
  }
  ready = true;
  for (const line of before) if (line.startsWith('{"level":"error"')) console.log(line);
}

async function answers(): Promise<boolean> {
  try {
    return (await fetch(`${url}/healthz`)).ok;
  } catch {
    return false;
  }
}

async function printWelcome(): Promise<void> {
  const readiness = (await (await fetch(`${url}/readyz`)).json()) as { unusable: { part: string; detail: string }[] };
  for (const { part, detail } of readiness.unusable) console.error(`not ready: ${part}: ${detail}`);
  const signingKey = readSecret("SIGNING_KEY");
  if (!signingKey || readiness.unusable.length > 0) return console.error("hint: mend .dev.vars (or delete it together with the local data) and start again");
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
    void triggerSchedule();
    setInterval(() => void triggerSchedule(), 60_000);
  }, untilNextMinute);
}

async function triggerSchedule(): Promise<void> {
  try {
    const reply = await fetch(`${url}/cdn-cgi/handler/scheduled?cron=*+*+*+*+*`);
    if (!reply.ok) console.error(`the scheduled run answered ${reply.status}`);
  } catch (error) {
    console.error(`the scheduled run could not be started: ${error instanceof Error ? error.message : error}`);
  }
}
