import { createServer } from "node:net";
import { join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";
import { PERMISSIONS } from "../src/contract/permission.ts";
import { openDevVars } from "./local/dev-vars.ts";
import { portTaken, Refusal } from "./local/refusal.ts";
import { serveWorker } from "./local/serve-worker.ts";
import { DEV_VARS, fail, readVars } from "./settings.ts";
import { signToken } from "./sign-token.ts";
import { ROOT } from "./wrangler-config.ts";

const HELP = `Serves Keyhole on this machine, with a local D1 and KV.

  npm start -- [--port N] [--persist-to DIR]

  --port N           the port on 127.0.0.1              [8787]
  --persist-to DIR   where the local data is kept       [.wrangler/state]

A var of wrangler.toml that is set in the environment takes the environment's value.
`;

const TOKEN_TTL = 86_400;

// Before Miniflare's own, which end in other codes. It takes the runtime with it in every case.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(0));
const { port, persistTo } = readArguments();
const { url, bindings } = await serve();
await printWelcome();

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
    return { port, persistTo: resolve(values["persist-to"]) };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), "npm start -- --help");
  }
}

async function serve(): Promise<{ url: string; bindings: Readonly<Record<string, string>> }> {
  try {
    if (!(await isFree(port))) throw portTaken(port);
    const { kept, made } = await openDevVars(DEV_VARS, persistTo);
    if (made) console.log(`Made ${relative(process.cwd(), DEV_VARS)} with fresh keys. Without it the local data cannot be opened.`);
    const given: Readonly<Record<string, string>> = { ...readVars(), ...kept, ...varsOfEnvironment() };
    const bindings = { ...given, PUBLIC_URL: given.PUBLIC_URL || `http://127.0.0.1:${port}` };
    const { url } = await serveWorker({ port, persistTo, bindings });
    return { url: url.origin, bindings };
  } catch (error) {
    if (error instanceof Refusal) fail(error.message, error.hint);
    return fail(`Keyhole could not be started: ${error instanceof Error ? error.message : error}`, `is another instance using ${persistTo}?`);
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}

function varsOfEnvironment(): Record<string, string> {
  return Object.fromEntries(Object.entries(readVars()).filter(([name]) => process.env[name] !== undefined));
}

async function printWelcome(): Promise<void> {
  const readiness = (await (await fetch(`${url}/readyz`)).json()) as { unusable: { part: string }[] };
  for (const { part } of readiness.unusable) console.error(`not ready: ${part}; the log above says why`);
  const { SIGNING_KEY, ISSUER = "keyhole", AUDIENCE = "keyhole" } = bindings;
  if (!SIGNING_KEY || readiness.unusable.length > 0) return console.error("hint: fix .dev.vars (or delete it together with the local data) and start again");
  const token = await signToken(SIGNING_KEY, {
    org: "acme",
    subject: "developer",
    permissions: PERMISSIONS.join(" "),
    ttl: TOKEN_TTL,
    issuer: ISSUER,
    audience: AUDIENCE,
  });
  const bearer = `-H 'Authorization: Bearer ${token}'`;
  const link = await consoleLink(token);
  console.log(`
Keyhole is ready on ${url}  (read the API at ${url}/docs, stop with Ctrl-C)

${link === undefined ? "" : `The console, in a browser (the link is good once, for five minutes):\n${link}\n\n`}A token for the organization "acme" with every permission, valid for a day:
${token}

Set a secret, look at it, and resolve it:

curl -sS -X PUT ${url}/v1/scopes/global/secrets/OPENAI_API_KEY ${bearer} -H 'Content-Type: text/plain' -d 'sk-my-first-secret'

curl -sS ${url}/v1/secrets ${bearer}

curl -sS -X POST ${url}/v1/resolve ${bearer} -H 'Content-Type: application/json' -d '{"names":["OPENAI_API_KEY"]}'
`);
}

/** A link that logs somebody into the console, once. Its code is in the fragment, which no browser sends. `undefined` where there is no console. */
async function consoleLink(token: string): Promise<string | undefined> {
  if (!(await fetch(`${url}/console`)).ok) return undefined;
  const headers = { "Content-Type": "application/json", "Keyhole-Console": "1", "Sec-Fetch-Site": "same-origin" };
  const reply = await fetch(`${url}/console/api/codes`, { method: "POST", headers, body: JSON.stringify({ token }) });
  return reply.ok ? `${url}/console/login#code=${((await reply.json()) as { code: string }).code}` : undefined;
}
