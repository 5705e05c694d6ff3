import { env } from "cloudflare:workers";
import { expect, it, vi } from "vitest";
import { eventDigest, sha256 } from "../../src/contract/audit-digest.ts";
import { formatTime } from "../../src/contract/time.ts";
import { signPayload } from "../../src/worker/access/sign-payload.ts";
import { replaceHead } from "../../src/worker/audit/heads.ts";
import type { EventRow } from "../../src/worker/audit/read-events.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { eventBody } from "../../src/worker/log/event-body.ts";
import { signHead } from "../../src/worker/log/log-head.ts";
import { archive, archivesOf } from "./archive-support.ts";
import { DAY, MINUTE, START, sql, verified } from "./support.ts";

const ORG = "five-a-minute";
const EACH = 5;
const MINUTES = DAY / MINUTE;
/** Room for the last minute, which stays in D1. */
const CHECKPOINTS = MINUTES + 1;

/** A day of resolves, five a minute, of twenty secrets. */
async function appendDay(): Promise<void> {
  await sql(
    `WITH RECURSIVE n (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM n LIMIT ?2)
     INSERT INTO audit_events (org, seq, at, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent)
     SELECT ?1, seq, ${START} + seq * ${MINUTE / EACH}, 'token:gateway', 'tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c', 'secret.resolve', 'allowed',
       json_array(json_object('id', 'sec_' || substr(hex(seq % 20) || '0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c00', 1, 32), 'name', 'NAME_' || (seq % 20), 'scope', 'namespace:prod', 'version', 3)),
       NULL, 'req_' || lower(hex(randomblob(16))), '192.0.2.' || (seq % 7), 'keyhole-client/1.0' FROM n`,
    ORG,
    EACH * CHECKPOINTS,
  );
}

/** Seals it as a scheduled run each minute does. */
async function sealEachMinute(): Promise<void> {
  const { logKeys } = await loadConfig(env);
  const { results } = await env.DB.prepare("SELECT * FROM audit_events WHERE org = ? ORDER BY seq").bind(ORG).all<EventRow>();
  const digests = await Promise.all(results.map((row) => eventDigest(eventBody(row))));
  const rows: object[] = [];
  let previous: string | null = null;
  for (let n = 0; n < CHECKPOINTS; n++) {
    const [first, last] = [n * EACH, n * EACH + EACH - 1];
    const stretch = { org: ORG, number: n + 1, first_seq: first + 1, last_seq: last + 1 };
    const some = digests.slice(first, last + 1);
    const last_at = results[last]?.at ?? 0;
    const jws: string = await signPayload(logKeys, "keyhole-checkpoint", {
      ...stretch,
      last_at: formatTime(last_at),
      rows: await sha256(some.join("")),
      previous,
    });
    rows.push({ ...stretch, first_at: results[first]?.at, last_at, row_digests: JSON.stringify(some), jws });
    previous = await sha256(jws);
  }
  const columns = Object.keys(rows[0] ?? {});
  await sql(
    `INSERT INTO audit_checkpoints (${columns.join(", ")}) SELECT ${columns.map((column) => `j.value ->> '${column}'`).join(", ")} FROM json_each(?) j`,
    JSON.stringify(rows),
  );
  await replaceHead(env.DB, await signHead(logKeys, { org: ORG, number: CHECKPOINTS, checkpoint: previous, removed_to: 0 }), null, START).run();
  await sql("INSERT INTO audit_marks (job, org, seq, seen_at) VALUES ('secrets', ?, ?, 0)", ORG, EACH * CHECKPOINTS);
}

/** How many bytes the rows of a table have, with what SQLite adds to each and to each entry of an index. */
async function bytesOf(table: string, indexed: number): Promise<number> {
  const { results } = await env.DB.prepare(`SELECT * FROM ${table} WHERE org = ?`).bind(ORG).all<Record<string, unknown>>();
  return results.reduce((sum, row) => sum + Object.values(row).reduce<number>((size, cell) => size + 1 + String(cell ?? "").length, 4 + indexed), 0);
}

it("five events a minute for a year are at most 500 objects, and less than 5 MB in D1", async () => {
  await appendDay();
  await sealEachMinute();
  const put = vi.spyOn(env.KV, "put");
  expect(await archive(0)).toMatchObject({ put: EACH * MINUTES });
  expect(await archive(6)).toMatchObject({ archived: EACH * MINUTES });
  const objects = put.mock.calls.map(([, text]) => String(text).length);
  const inD1 = (await bytesOf("audit_archives", 120)) + (await bytesOf("audit_archive_secrets", 0));
  expect([objects.length, (await archivesOf(ORG)).length]).toEqual([1, 1]);
  console.info(`a day of five events a minute: ${objects} bytes in KV, ${inD1} in D1`);
  expect(365 * objects.length).toBeLessThan(500);
  expect(365 * inD1).toBeLessThan(5_000_000);
  expect(365 * (objects[0] ?? 0)).toBeLessThan(1_000_000_000);
  expect(await verified(ORG)).toMatchObject({ ok: true, checked: EACH * CHECKPOINTS });
});
