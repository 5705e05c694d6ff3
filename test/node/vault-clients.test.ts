import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startIssuer } from "../support/issuer.ts";
import { startKeyholeServer } from "./support/vault/keyhole-server.ts";
import { nodeVaultClient } from "./support/vault/node-vault-client.ts";
import { runSteps, type VaultServer } from "./support/vault/run-steps.ts";

let server: VaultServer;
beforeAll(async () => {
  server = await startKeyholeServer(await startIssuer());
});
afterAll(() => server?.close());

/** What vault-action 3.4 sends for one secret of a job with an identity token, beside what every HTTP client does; an empty namespace, too. */
const VAULT_ACTION = { "User-Agent": "got (https://github.com/sindresorhus/got)", "X-Vault-Namespace": "", "Accept-Encoding": "gzip, deflate, br" };

describe("a client of Vault that is pointed at Keyhole", () => {
  it("logs in, writes, reads, lists, deletes and brings back: node-vault", async () => {
    expect(await runSteps("node-vault", nodeVaultClient(server.url), server)).toEqual([]);
  });

  it("gets what it asks for in a job: vault-action", async () => {
    const secrets = { DB_PASSWORD: 'p"q', "app.json": { a: 1 } };
    await write("shop/job", secrets);
    const login = await send("POST", "/v1/auth/jwt/login", { Accept: "application/json", "Content-Type": "application/json" }, await credentials());
    // It writes these three into the job's log, and goes on with the first.
    expect(login).toMatchObject({
      status: 200,
      body: { auth: { client_token: expect.any(String), policies: expect.any(Array), metadata: expect.any(Object) } },
    });
    const token = { "X-Vault-Token": login.body.auth.client_token };
    expect(await send("GET", "/v1/secret/data/shop/job", token)).toMatchObject({ status: 200, body: { data: { data: secrets } } });
    // Shown to people as it is: "Unable to retrieve result for … because it was not found: {…}".
    expect(await send("GET", "/v1/secret/data/shop/none", token)).toEqual({ status: 404, body: { errors: [] } });
  });
});

async function credentials(): Promise<object> {
  return { jwt: await server.jwt(), role: server.roles.writer };
}

async function write(path: string, data: object): Promise<void> {
  const client = nodeVaultClient(server.url);
  await client.perform({ op: "login", role: server.roles.writer, jwt: await server.jwt() });
  expect(await client.perform({ op: "put", path, data })).toEqual({ version: 1 });
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the server answered.
async function send(method: string, path: string, headers: Record<string, string>, body?: object): Promise<{ status: number; body: any }> {
  const request = { method, headers: { ...VAULT_ACTION, ...headers }, ...(body && { body: JSON.stringify(body) }) };
  const reply = await fetch(server.url + path, request);
  return { status: reply.status, body: await reply.json() };
}
