import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveWorker } from "../../../../scripts/local/serve-worker.ts";
import { readVars } from "../../../../scripts/settings.ts";
import type { Issuer } from "../../../support/issuer.ts";
import { TEST_SECRETS } from "../../../support/test-secrets.ts";
import { tokenFor } from "../../cli/support/start-keyhole.ts";
import { prepareServer } from "../prepare-server.ts";
import type { VaultServer } from "./run-steps.ts";

const SCOPES = ["repo:shop/*"];
const ROLES = {
  writer: ["secrets:read", "secrets:write", "secrets:resolve"],
  reader: ["secrets:read", "secrets:resolve"],
};
export const AUDIENCE = "vault-clients";
export const SUBJECT = "job-7";

/** Keyhole with an empty database, and a trust for each role: identity tokens of the issuer log in. */
export async function startKeyholeServer(issuer: Issuer): Promise<VaultServer> {
  const persistTo = mkdtempSync(join(tmpdir(), "keyhole-vault-"));
  const bindings = { ...readVars(), ...TEST_SECRETS, ALLOW_INSECURE_ISSUERS: "true" };
  const { url, stop } = await serveWorker({ port: 0, persistTo, bindings, period: null, onLine: () => undefined, prepared: await prepareServer(persistTo) });
  const headers = { Authorization: `Bearer ${await tokenFor("acme")}`, "Content-Type": "application/json" };
  for (const [role, permissions] of Object.entries(ROLES)) {
    const trust = { issuer: issuer.url, audience: AUDIENCE, claims: { sub: SUBJECT }, permissions, secret_scopes: SCOPES, expires_in: 900 };
    const reply = await fetch(new URL(`/v1/trusts/${role}`, url), { method: "PUT", headers, body: JSON.stringify(trust) });
    if (!reply.ok) throw new Error(await reply.text());
  }
  return {
    kind: "keyhole",
    url: url.origin,
    roles: { writer: "acme/writer", reader: "acme/reader" },
    jwt: () => identity(issuer),
    async close() {
      await stop();
      rmSync(persistTo, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** An identity token that the roles of both servers take. */
export function identity(issuer: Issuer): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  return issuer.sign({ iss: issuer.url, aud: AUDIENCE, sub: SUBJECT, jti: crypto.randomUUID(), iat: now, exp: now + 300 });
}
