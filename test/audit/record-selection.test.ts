import { env } from "cloudflare:workers";
import { beforeAll, expect, it, vi } from "vitest";
import type { Scope } from "../../src/contract/scope.ts";
import type { SecretName } from "../../src/contract/secret-name.ts";
import { type Caller, createCaller } from "../../src/worker/access/caller.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { recordSelection } from "../../src/worker/secrets/record-selection.ts";
import { releaseSecrets } from "../../src/worker/secrets/release-secrets.ts";
import { type ResolveRequest, resolutionQuery } from "../../src/worker/secrets/resolution-query.ts";
import type { RecordedSelection, SelectionEvent } from "../../src/worker/secrets/selection.ts";
import { put } from "../support/call.ts";
import { sealByHand } from "../support/seal-by-hand.ts";

const org = "selecting";
const bindings = { db: env.DB, kv: env.KV, now: new Date() };
const EVENT: SelectionEvent = { action: "secret.read", target: "for-a-verb-of-its-own" };

const lineageOf = (tokenId: string | null) =>
  tokenId === null ? null : { issuer: "keyhole", subject: "tester", reference: tokenId, issuedAt: 1, ancestors: null };

const callerOf = (tokenId: string | null): Caller =>
  createCaller({
    ...{
      org,
      subject: "tester",
      tokenId,
      expiresAt: null,
      verifiedUntil: null,
      leaseSeconds: 0,
      lineage: lineageOf(tokenId),
      requestId: "req_selecting",
      ip: null,
      userAgent: null,
    },
    ...{ permissions: new Set(["secrets:read"] as const), secretScopes: null, secretNames: null, services: null },
  });

/** Selects what another verb than a resolve would, with its own permission and event. */
async function select(request: Partial<ResolveRequest>, tokenId: string | null = null): Promise<RecordedSelection> {
  const needs = { ...(await loadConfig(env)), db: env.DB, platformOrg: null, now: new Date() };
  const whole = { allowMissing: false, inherit: true, asVariables: false, ...request };
  return recordSelection(needs, callerOf(tokenId), resolutionQuery(needs, callerOf(tokenId), "secrets:read", whole), EVENT);
}

const events = async () =>
  (await env.DB.prepare("SELECT action, outcome, secrets, target FROM audit_events WHERE org = ? AND action = ?").bind(org, EVENT.action).all()).results;

beforeAll(async () => {
  await put("global", "ONE", "the value of one", { token: { org } });
  await put("namespace:prod", "ONE", "the nearer value of one", { token: { org } });
  await put("global", "TWO", "the value of two", { token: { org } });
});

/** None of these secrets comes from a store. */
const NONE = { read: () => Promise.reject(new Error("no store was to be asked")) };

it("records what was selected with the event of its caller, and gives the values only then", async () => {
  const before = await events();
  const selection = await select({ scopes: ["namespace:prod" as Scope], names: ["ONE", "TWO"] as SecretName[] });
  const secrets = selection.secrets.map(({ id, name, label, version }) => ({ id, name, scope: label, version }));
  expect(secrets.map(({ name, scope }) => [name, scope])).toEqual([
    ["ONE", "namespace:prod"],
    ["TWO", "global"],
  ]);
  expect((await events()).slice(before.length)).toEqual([{ ...EVENT, outcome: "allowed", secrets: JSON.stringify(secrets) }]);
  const { keyring, legacyPlaintext } = await loadConfig(env);
  const released = await releaseSecrets({ ...bindings, keyring, legacyPlaintext, sources: NONE }, selection, ({ secrets }) => secrets);
  expect(released.map(({ bytes }) => new TextDecoder().decode(bytes))).toEqual(["the nearer value of one", "the value of two"]);
});

it("releases again without another event, from what it has", async () => {
  const selection = await select({ names: ["TWO"] as SecretName[] });
  const before = await events();
  const { keyring, legacyPlaintext } = await loadConfig(env);
  const batch = vi.spyOn(env.DB, "batch");
  for (let n = 0; n < 2; n++)
    expect(await releaseSecrets({ ...bindings, keyring, legacyPlaintext, sources: NONE }, selection, ({ secrets }) => secrets)).toMatchObject([
      { name: "TWO", scope: "global" },
    ]);
  expect(batch).not.toHaveBeenCalled();
  batch.mockRestore();
  expect(await events()).toEqual(before);
});

it("records no secret, and selects none, when it refuses as a whole", async () => {
  await expect(select({ names: ["ONE", "NOWHERE"] as SecretName[] })).rejects.toMatchObject({ code: "secret-not-found" });
  const absent = [{ id: null, name: "NOWHERE", scope: null, version: null }];
  expect((await events()).at(-1)).toMatchObject({ secrets: JSON.stringify(absent), target: EVENT.target });
});

it("records nothing and selects nothing for a token that is revoked", async () => {
  const insert = `INSERT INTO tokens (id, org, label, permissions, created_at, created_by, expires_at, revoked_at) VALUES ('tok_revoked', ?, 'l', '[]', 0, 'x', 1, 1)`;
  await env.DB.prepare(insert).bind(org).run();
  await sealByHand("tokens", "id = 'tok_revoked'");
  const before = await events();
  await expect(select({ names: ["ONE"] as SecretName[] }, "tok_revoked")).rejects.toMatchObject({ code: "unauthenticated" });
  expect(await events()).toEqual(before);
});
