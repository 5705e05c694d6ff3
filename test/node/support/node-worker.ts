import { timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import { importJWK, SignJWT } from "jose";
import { PERMISSIONS } from "../../../src/contract/permission.ts";
import type { Worker } from "../../model/real.ts";
import { MODEL_VARS } from "../../model/run-sequences.ts";
import { TEST_SECRETS } from "../../support/test-secrets.ts";
import { openMemoryKv } from "./memory-kv.ts";
import { openSqliteD1 } from "./sqlite-d1.ts";

// Paths that the type checker does not follow: the types behind them are those of the Worker's runtime, not of Node.
const SRC = join(import.meta.dirname, "../../../src/worker");
const { createApp } = (await import(join(SRC, "http/app.ts"))) as { createApp(): Worker["app"] };
const { runScheduled } = (await import(join(SRC, "scheduled.ts"))) as Pick<Worker, "runScheduled">;

// The one thing of the Worker's crypto that Node's does not have.
Object.assign(crypto.subtle, { timingSafeEqual });
// What the Worker asks of its runtime.
Object.assign(globalThis, { Cloudflare: { compatibilityFlags: { global_fetch_strictly_public: true } } });

/** A Worker that runs in Node, on an empty D1 and an empty KV of its own. */
export function startNodeWorker(): Worker {
  return { app: createApp(), runScheduled, env: { ...TEST_SECRETS, ...MODEL_VARS, DB: openSqliteD1(), KV: openMemoryKv() }, sign };
}

async function sign(org: string): Promise<string> {
  const jwk = JSON.parse(TEST_SECRETS.SIGNING_KEY) as { kid: string };
  const claims = { iss: "keyhole", aud: "keyhole", sub: "tester", org, scope: PERMISSIONS.join(" "), iat: 0, exp: 4_102_444_800, jti: `tok_${org}` };
  return new SignJWT(claims).setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: jwk.kid }).sign(await importJWK(jwk, "EdDSA"));
}
