import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Issuer } from "../../../support/issuer.ts";
import { freePort } from "../free-port.ts";
import { untilAnswered } from "../until-answered.ts";
import { AUDIENCE, identity, SUBJECT } from "./keyhole-server.ts";
import type { VaultServer } from "./run-steps.ts";

/** The token that may do everything there. */
export const ROOT_TOKEN = "root-of-the-test";
const READ = ["data", "metadata"].map((kind) => `path "secret/${kind}/shop/*" { capabilities = ["read", "list"] }`);
const WRITE = ["data", "metadata", "delete", "undelete", "destroy"].map(
  (kind) => `path "secret/${kind}/shop/*" { capabilities = ["create", "read", "update", "patch", "delete", "list"] }`,
);
const POLICIES = { writer: WRITE.join("\n"), reader: READ.join("\n") };

/** A development server of OpenBao itself, with the same two roles: it says whether the steps are what Vault's clients know. */
export async function startOpenBao(bao: string, issuer: Issuer): Promise<VaultServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const args = ["server", "-dev", "-dev-no-store-token", `-dev-listen-address=127.0.0.1:${port}`, `-dev-root-token-id=${ROOT_TOKEN}`];
  const child = spawn(bao, args, { stdio: "ignore" });
  const exited = once(child, "exit");
  await untilAnswered(`${url}/v1/sys/health`);
  await setUp(url, issuer);
  return {
    kind: "openbao",
    url,
    roles: { writer: "writer", reader: "reader" },
    jwt: () => identity(issuer),
    async close() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

async function setUp(url: string, issuer: Issuer): Promise<void> {
  const put = async (path: string, body: object) => {
    const headers = { "X-Vault-Token": ROOT_TOKEN };
    const reply = await fetch(`${url}/v1/${path}`, { method: "POST", headers, body: JSON.stringify(body) });
    if (!reply.ok) throw new Error(`${path}: ${await reply.text()}`);
  };
  await put("sys/auth/jwt", { type: "jwt" });
  await put("auth/jwt/config", { jwks_url: issuer.jwksUrl, bound_issuer: issuer.url });
  for (const [role, policy] of Object.entries(POLICIES)) {
    await put(`sys/policies/acl/${role}`, { policy });
    const bound = { bound_audiences: [AUDIENCE], bound_subject: SUBJECT, user_claim: "sub" };
    await put(`auth/jwt/role/${role}`, { role_type: "jwt", ...bound, token_policies: [role], token_type: "batch" });
  }
}
