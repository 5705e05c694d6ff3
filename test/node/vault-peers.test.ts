import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startIssuer } from "../support/issuer.ts";
import { baoClient } from "./support/vault/bao-client.ts";
import { startKeyholeServer } from "./support/vault/keyhole-server.ts";
import { lineClient } from "./support/vault/line-client.ts";
import { nodeVaultClient } from "./support/vault/node-vault-client.ts";
import { startOpenBao } from "./support/vault/openbao-server.ts";
import { runSteps, type VaultServer } from "./support/vault/run-steps.ts";
import type { VaultClient } from "./support/vault/vault-client.ts";

const HERE = join(import.meta.dirname, "../peers/vault");
/** OpenBao's program, where the run is given one. */
const { BAO } = process.env;

const folder = mkdtempSync(join(tmpdir(), "vault-peers-"));
const servers: VaultServer[] = [];
beforeAll(async () => {
  const issuer = await startIssuer();
  servers.push(await startKeyholeServer(issuer));
  if (BAO) servers.push(await startOpenBao(BAO, issuer));
});
afterAll(async () => {
  await Promise.all(servers.map((server) => server.close()));
  rmSync(folder, { recursive: true, force: true });
});

type Open = (address: string) => VaultClient;

/** Clients of Vault in other languages: each is got from its registry, and returns how it is opened. */
const CLIENTS: Readonly<Record<string, () => Open>> = {
  "node-vault": () => nodeVaultClient,
  hvac() {
    const place = join(folder, "python");
    run("python3", ["-m", "venv", place]);
    run(join(place, "bin/pip"), ["install", "--quiet", "--disable-pip-version-check", "hvac==2.4.0"]);
    return (address) => lineClient(address, [join(place, "bin/python"), "-W", "ignore", join(HERE, "hvac_client.py")]);
  },
  go() {
    const program = join(folder, "vault-api");
    run("go", ["build", "-o", program, "."], join(HERE, "go"));
    return (address) => lineClient(address, [program]);
  },
  bao() {
    if (!BAO) throw new Error("BAO is not set to the path of its program");
    run(BAO, ["version"]);
    return (address) => baoClient(address, BAO);
  },
};

function run(command: string, args: readonly string[], cwd = folder): void {
  execFileSync(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" });
}

/** What can be had of them here; of the others it says why they cannot. */
const HAD = Object.entries(CLIENTS).flatMap(([name, prepare]): [string, Open][] => {
  try {
    return [[name, prepare()]];
  } catch (error) {
    console.log(`SKIPPED: ${name} was not tried: ${(error as Error).message}`);
    return [];
  }
});
if (!BAO) console.log("SKIPPED: nothing was compared with OpenBao itself, because BAO is not set to the path of its program.");

describe.each(HAD)("%s", (name, open) => {
  it("logs in, writes, reads, lists, deletes and brings back, at Keyhole as at OpenBao", { timeout: 300_000 }, async () => {
    const differences: Record<string, string[]> = {};
    for (const server of servers) differences[server.kind] = await runSteps(name, open(server.url), server);
    expect(differences).toEqual(Object.fromEntries(servers.map(({ kind }) => [kind, []])));
  });
});
