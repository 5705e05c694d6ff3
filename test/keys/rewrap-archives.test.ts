import { env } from "cloudflare:workers";
import { expect, it } from "vitest";
import { addKey } from "../../src/keys-file/add-key.ts";
import { promoteKey } from "../../src/keys-file/promote-key.ts";
import { importKeyring } from "../../src/worker/envelope/keyring.ts";
import { checkRows } from "../../src/worker/keys/check-rows.ts";
import { archiveAll, makeLog } from "../audit/archive-support.ts";
import { callWith } from "../support/call-with.ts";

const token = { org: "archivists" };
/** What only the first archive has. */
const FIRST = "GET /v1/audit?format=ndjson&until=2026-01-02T00:00:00Z";

it("wraps the data keys of archived parts of audit logs anew, and they open under the new key alone", async () => {
  const { ROOT_KEY = "", KEYRING: old = "" } = env;
  const { KEYRING = "" } = (await promoteKey({ ROOT_KEY, ...(await addKey({ ROOT_KEY, KEYRING: old })).secrets })).secrets;
  const { current, keys } = JSON.parse(KEYRING) as { current: string; keys: Record<string, string> };
  await makeLog("archivists", [0, 2, 30]);
  await archiveAll();
  const objects = await env.KV.list({ prefix: "a_" });
  const after = callWith({ KEYRING });
  const archives = async () => (await after("GET /v1/keys", { token })).body.keys.map((key: { id: string; archives: number }) => [key.id, key.archives]);
  expect(await archives()).toEqual([
    ["k1", 2],
    [current, 0],
  ]);
  await env.DB.prepare("UPDATE audit_archives SET wrapped_key = 'AAAA' WHERE org = 'archivists' AND first_number = 2").run();
  expect((await after("POST /v1/keys/rewrap", { token })).body).toEqual({ rewrapped: 1, remaining: 1 });
  expect((await after("POST /v1/keys/rewrap", { token })).body, "what does not unwrap is in quarantine").toEqual({ rewrapped: 0, remaining: 1 });
  expect(await archives()).toEqual([
    ["k1", 1],
    [current, 1],
  ]);
  expect((await env.KV.list({ prefix: "a_" })).keys, "no object is touched").toEqual(objects.keys);
  const before = await callWith({})(FIRST, { token });
  expect([before.status, before.body.code]).toEqual([503, "storage-unavailable"]);
  await checkRows({ db: env.DB, keyring: await importKeyring(ROOT_KEY, KEYRING), now: new Date() });
  const { text } = await callWith({ KEYRING: JSON.stringify({ current, keys: { [current]: keys[current] } }) })(FIRST, { token });
  expect(text.split("\n").filter((line) => line !== "")).toHaveLength(2);
});
