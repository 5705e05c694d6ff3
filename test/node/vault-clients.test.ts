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

describe("a client of Vault that is pointed at Keyhole", () => {
  it("logs in, writes, reads, lists, deletes and brings back: node-vault", async () => {
    expect(await runSteps("node-vault", nodeVaultClient(server.url), server)).toEqual([]);
  });
});
