import { mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "smol-toml";
import { PERMISSIONS } from "../src/contract/permission.ts";
import { bundleWorker } from "./local/bundle-worker.ts";
import { openDevVars } from "./local/dev-vars.ts";
import { Refusal } from "./local/refusal.ts";
import { type BesideOptions, serveWorker } from "./local/serve-worker.ts";
import { fail, readVars } from "./settings.ts";
import { signToken } from "./sign-token.ts";
import { ROOT } from "./wrangler-config.ts";

const HELP = `Serves examples/gateway on this machine, with a Keyhole and a provider that says which key it got.

  npm run gateway -- [--port N --persist-to DIR]

  --port N           the gateway's port on 127.0.0.1               [8788]
  --persist-to DIR   where Keyhole's keys and data are kept         [.wrangler/gateway]

Set UPSTREAM to forward to another provider.
`;

const FOLDER = join(ROOT, "examples/gateway");
const KEY = "namespace%3Aprod/secrets/OPENAI_API_KEY";

interface GatewayConfig {
  readonly name: string;
  readonly compatibility_date: string;
  readonly vars: Readonly<Record<string, string>>;
  readonly services: readonly { readonly binding: string; readonly service: string; readonly entrypoint: string; readonly props: Record<string, unknown> }[];
}

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(0));
const { port, persistTo } = readArguments();
const upstream = process.env.UPSTREAM ?? (await startProvider());
try {
  await serve();
} catch (error) {
  if (error instanceof Refusal) fail(error.message, "npm run gateway -- --help");
  throw error;
}

function readArguments(): { port: number; persistTo: string } {
  try {
    const { values } = parseArgs({
      options: {
        port: { type: "string", default: "8788" },
        "persist-to": { type: "string", default: join(ROOT, ".wrangler", "gateway") },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) {
      console.log(HELP);
      process.exit(0);
    }
    const port = Number(values.port);
    if (!Number.isInteger(port) || port < 0 || port > 65_535) fail(`${values.port} is not a port`, "npm run gateway -- --port 8789");
    return { port, persistTo: resolve(values["persist-to"]) };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), "npm run gateway -- --help");
  }
}

/** Stands in for the provider: it answers with what it was asked, and with the end of the key. */
async function startProvider(): Promise<string> {
  const server = createServer(({ method, url, headers: { authorization = "" } }, response) => {
    response.setHeader("Content-Type", "application/json");
    response.end(`${JSON.stringify({ saw: `${method} ${url}`, key: `…${authorization.slice(-4)}` })}\n`);
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The gateway as its wrangler.toml has it. */
async function gateway(): Promise<BesideOptions> {
  const config = parse(readFileSync(join(FOLDER, "wrangler.toml"), "utf8")) as unknown as GatewayConfig;
  return {
    name: config.name,
    port,
    modules: true,
    script: await bundleWorker("examples/gateway/gateway.ts"),
    compatibilityDate: config.compatibility_date,
    bindings: { ...config.vars, UPSTREAM: upstream },
    serviceBindings: Object.fromEntries(config.services.map(({ binding, service: name, entrypoint, props }) => [binding, { name, entrypoint, props }])),
  };
}

async function serve(): Promise<void> {
  mkdirSync(persistTo, { recursive: true });
  const { kept } = await openDevVars(join(persistTo, ".dev.vars"), persistTo);
  const bindings = { ...readVars(), ...kept };
  const served = await serveWorker({ port: 0, persistTo, bindings, beside: await gateway(), onLine: () => undefined });
  const { SIGNING_KEY = "", ISSUER = "", AUDIENCE = "" } = bindings;
  const grant = { org: "acme", subject: "developer", permissions: PERMISSIONS.join(" "), ttl: 86_400, issuer: ISSUER, audience: AUDIENCE };
  const token = await signToken(SIGNING_KEY, grant);
  const keyhole = served.url.origin;
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "text/plain" };
  const put = await fetch(`${keyhole}/v1/scopes/${KEY}`, { method: "PUT", headers: { ...headers, "If-None-Match": "*" }, body: "sk-example-0001" });
  if (!put.ok && put.status !== 412) fail(`Keyhole did not take the example's key: ${await put.text()}`, "delete .wrangler/gateway and start again");
  console.log(`
The gateway is ready on ${served.beside?.origin}, and Keyhole on ${keyhole}  (stop with Ctrl-C)

TOKEN=${token}

Have a request forwarded, change the key, and see who was given it:

curl -sS ${served.beside?.origin}/v1/models
curl -sS -X PUT ${keyhole}/v1/scopes/${KEY} -H "Authorization: Bearer $TOKEN" -H 'Content-Type: text/plain' -d sk-example-0002
curl -sS '${keyhole}/v1/audit?action=secret.resolve' -H "Authorization: Bearer $TOKEN"
`);
}
