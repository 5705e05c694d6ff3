import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { verifyExport } from "../../scripts/verify-export.ts";
import { checkpointPageSchema } from "../../src/contract/audit.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { readRegistry } from "../../src/worker/log/read-registry.ts";
import { entriesOf } from "../../src/worker/log/registry.ts";
import frozen from "../vectors/audit-registry-v1.json" with { type: "json" };

// What Keyhole has once put into KV, and given to be kept elsewhere, is read for as long as there is anything of it.

it("a registry object of the first version says what it said", async () => {
  const { logKeys, keyring } = await loadConfig(env);
  await env.KV.put(frozen.object.name, frozen.object.jws);
  const registry = await readRegistry({ kv: env.KV, logKeys, now: new Date(frozen.at) });
  expect([registry.refused, registry.fullAt]).toEqual([0, Date.parse(frozen.at)]);
  for (const { org, ...state } of frozen.logs) expect(await entriesOf(registry, keyring, org)).toEqual([expect.objectContaining(state)]);
  expect(registry.entries.size).toBe(frozen.logs.length);
});

it.each([
  ["whole", frozen.exports.whole, { ok: true, first_bad: null }],
  ["cut short", frozen.exports.cut, { ok: false, reason: "behind", first_bad: 3 }],
])("an anchor of the first version judges a log that is %s", async (_, { head, checkpoints, events }, verdict) => {
  const page = checkpointPageSchema.parse({ checkpoints, head, next_cursor: null });
  const given = { org: "acme", events: events as never, checkpoints: page.checkpoints, head: page.head, jwks: frozen.jwks };
  expect(await verifyExport({ ...given, anchors: [frozen.anchor] })).toMatchObject(verdict);
  expect(await verifyExport(given)).toMatchObject({ ok: true });
  expect(await verifyExport({ ...given, org: "nobody", events: [], checkpoints: [], head: null, anchors: [frozen.anchor] })).toMatchObject({
    reason: "no-anchor",
  });
});
