import { timingSafeEqual } from "node:crypto";
import { TEST_SECRETS } from "../../support/test-secrets.ts";
import { finalSchema } from "./final-schema.ts";
import { openMemoryKv } from "./memory-kv.ts";
import { openSqliteD1 } from "./sqlite-d1.ts";

// The one thing of the Worker's crypto that Node's does not have.
Object.assign(crypto.subtle, { timingSafeEqual });
// What the Worker asks of its runtime.
Object.assign(globalThis, { Cloudflare: { compatibilityFlags: { global_fetch_strictly_public: true } } });

/** Stands for the platform's module where tests of the Worker run in Node, on an empty D1 and an empty KV. */
export const env = {
  ...TEST_SECRETS,
  PLATFORM_ORG: "platform",
  TEST_SCHEMA: finalSchema(),
  TEST_SEED: Number(process.env.TEST_SEED),
  EVERY_CASE: process.env.EVERY_CASE === "1",
  DB: openSqliteD1(),
  KV: openMemoryKv(),
  OTHER_DB: openSqliteD1(),
  OTHER_KV: openMemoryKv(),
};

export const exports = {};
