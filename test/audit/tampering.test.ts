import { env } from "cloudflare:workers";
import fc from "fast-check";
import { CompactSign, importJWK, type JWK } from "jose";
import { beforeAll, describe, expect, it } from "vitest";
import { eventDigest, sha256 } from "../../src/contract/audit-digest.ts";
import type { CheckpointRow } from "../../src/worker/audit/checkpoints.ts";
import type { EventRow } from "../../src/worker/audit/read-events.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { eventBody } from "../../src/worker/log/event-body.ts";
import { call } from "../support/call.ts";
import { FOREIGN_SIGNING_KEY } from "../support/test-secrets.ts";
import { append, appendMany, dropTriggers, seal, sealedLog, sql, verified, verifiedOffline } from "./support.ts";

/** A log of three stretches and some events that are not sealed, to be tampered with. */
interface Log {
  readonly org: string;
  readonly lengths: readonly number[];
  readonly unsealed: number;
}

const firstOf = ({ lengths }: Log, number: number) => 1 + lengths.slice(0, number - 1).reduce((sum, length) => sum + length, 0);
const sealedOf = ({ lengths }: Log) => lengths.reduce((sum, length) => sum + length, 0);
const event = (log: Log, at: number) => 1 + (at % sealedOf(log));
const numberOf = ({ lengths }: Log, at: number) => 1 + (at % lengths.length);
const stretchOf = (log: Log, seq: number) => log.lengths.findIndex((_, n) => seq < firstOf(log, n + 2)) + 1;

async function rowsOf<T>(table: string, org: string): Promise<T[]> {
  return (await env.DB.prepare(`SELECT * FROM ${table} WHERE org = ? ORDER BY 2`).bind(org).all<T>()).results;
}

/** Signs as somebody else would: under a kid of their own, or under ours. */
async function signForeign(typ: string, payload: unknown, kid?: string): Promise<string> {
  const jwk = JSON.parse(FOREIGN_SIGNING_KEY) as JWK;
  const header = { alg: "EdDSA", typ, kid: kid ?? jwk.kid ?? "" };
  return new CompactSign(new TextEncoder().encode(JSON.stringify(payload))).setProtectedHeader(header).sign(await importJWK(jwk, "EdDSA"));
}

/** Makes checkpoints anew, from one on, over the events as they are now: everything that can be done without the key. */
async function sealAnew(org: string, from: number, kid?: string): Promise<void> {
  const events = await rowsOf<EventRow>("audit_events", org);
  let previous: string | null = null;
  for (const { number, first_seq, last_seq, last_at, jws: was } of await rowsOf<CheckpointRow>("audit_checkpoints", org)) {
    let jws = was;
    if (number >= from) {
      const digests = await Promise.all(events.filter(({ seq }) => seq >= first_seq && seq <= last_seq).map((row) => eventDigest(eventBody(row))));
      const payload = { org, number, first_seq, last_seq, last_at: new Date(last_at).toISOString(), rows: await sha256(digests.join("")), previous };
      jws = await signForeign("keyhole-checkpoint", payload, kid);
      await sql("UPDATE audit_checkpoints SET row_digests = ?, jws = ? WHERE org = ? AND number = ?", JSON.stringify(digests), jws, org, number);
    }
    previous = await sha256(jws);
  }
  const head = { org, number: 3, checkpoint: previous, removed_to: 0 };
  await sql("UPDATE audit_heads SET jws = ? WHERE org = ?", await signForeign("keyhole-head", head), org);
}

/** Swaps two rows by what numbers them. */
async function swap(table: string, column: string, org: string, a: number, b: number): Promise<void> {
  const update = `UPDATE ${table} SET ${column} = ? WHERE org = ? AND ${column} = ?`;
  for (const [from, to] of [
    [a, -1],
    [b, a],
    [-1, b],
  ])
    await sql(update, to, org, from);
}

const SECRETS = '[{"id":"sec_0","name":"N","scope":"global","version":1}]';
const CHANGES: [column: string, value: string][] = [
  ["at", "at + 1"],
  ["at", "9000000000000000"],
  ["actor", "actor || 'x'"],
  ["token_id", "NULL"],
  ["action", "'secret.delete'"],
  ["action", "'no.action'"],
  ["outcome", "'denied'"],
  ["secrets", "'[]'"],
  ["secrets", `'${SECRETS}'`],
  ["secrets", "replace(secrets, '}', ',\"note\":\"x\"}')"],
  ["secrets", "replace(secrets, '[{', '[{\"id\":\"sec_x\",')"],
  ["secrets", "secrets || ' '"],
  ["secrets", "'not JSON'"],
  ["target", "'x'"],
  ["request_id", "'req_x'"],
  ["ip", "'192.0.2.2'"],
  ["user_agent", "NULL"],
  ["org", "org || '-elsewhere'"],
];

/** What somebody does who can write to D1, and the first event that must be found not to be as it was. */
const TAMPERINGS: Record<string, (log: Log, a: number, b: number) => Promise<number>> = {
  "an event is changed": async (log, a, b) => {
    const [column, value] = CHANGES[b % CHANGES.length] ?? ["actor", "''"];
    // The first event has its list beside it and was caused without a token: there is nothing to be replaced in its row, or taken out.
    const seq = value.startsWith("replace(") || value === "NULL" ? Math.max(2, event(log, a)) : event(log, a);
    await sql(`UPDATE audit_events SET ${column} = ${value} WHERE org = ? AND seq = ?`, log.org, seq);
    return seq;
  },
  "the list of an event is changed": async ({ org }) => {
    await sql("UPDATE audit_lists SET secrets = replace(secrets, 'N_7\"', 'N_8\"') WHERE org = ?", org);
    return 1;
  },
  "the list of an event is taken away": async ({ org }) => {
    await sql("DELETE FROM audit_lists WHERE org = ?", org);
    return 1;
  },
  "the list of an event is put into it, and cut": async ({ org }) => {
    await sql("UPDATE audit_events SET secrets = '[]' WHERE org = ? AND seq = 1", org);
    return 1;
  },
  "an event is said to be about another number of secrets": async ({ org }) => {
    await sql("UPDATE audit_events SET secrets_total = 1 WHERE org = ? AND seq = 1", org);
    return 1;
  },
  "an event is removed": async (log, a) => {
    await sql("DELETE FROM audit_events WHERE org = ? AND seq = ?", log.org, event(log, a));
    return event(log, a);
  },
  "an event is put before the others": async ({ org }, a) => {
    await sql(
      "INSERT INTO audit_events SELECT org, ?, at, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent, version, finer_outcome, lease, secrets_total, issuer FROM audit_events WHERE org = ? AND seq = 1",
      0 - a,
      org,
    );
    return 0 - a;
  },
  "an event is put between the others": async (log, a) => {
    const seq = event(log, a);
    await sql("UPDATE audit_events SET seq = -seq - 1 WHERE org = ? AND seq >= ?", log.org, seq);
    await sql("UPDATE audit_events SET seq = -seq WHERE org = ? AND seq < 0", log.org);
    await append(`${log.org}-made-up`, seq);
    await sql("UPDATE audit_events SET org = ? WHERE org = ? AND seq = ?", log.org, `${log.org}-made-up`, seq);
    return seq;
  },
  "two events change places": async (log, a, b) => {
    const first = event(log, a);
    const second = first === event(log, b) ? (first % sealedOf(log)) + 1 : event(log, b);
    await swap("audit_events", "seq", log.org, first, second);
    return Math.min(first, second);
  },
  "the last events are removed": async (log, a) => {
    await sql("DELETE FROM audit_events WHERE org = ? AND seq >= ?", log.org, event(log, a));
    return event(log, a);
  },
  "an event is changed with its digest": async (log, a) => {
    const seq = event(log, a);
    const number = stretchOf(log, seq);
    await sql("UPDATE audit_events SET actor = 'x' WHERE org = ? AND seq = ?", log.org, seq);
    const [row] = (await rowsOf<EventRow>("audit_events", log.org)).filter((one) => one.seq === seq);
    const digest = row && (await eventDigest(eventBody(row)));
    const path = `$[${seq - firstOf(log, number)}]`;
    await sql("UPDATE audit_checkpoints SET row_digests = json_set(row_digests, ?, ?) WHERE org = ? AND number = ?", path, digest, log.org, number);
    return firstOf(log, number);
  },
  "a checkpoint's digests are made unreadable": async (log, a) => {
    await sql("UPDATE audit_checkpoints SET row_digests = '[' WHERE org = ? AND number = ?", log.org, numberOf(log, a));
    return firstOf(log, numberOf(log, a));
  },
  "a checkpoint's time is changed": async (log, a) => {
    await sql("UPDATE audit_checkpoints SET last_at = 0 WHERE org = ? AND number = ?", log.org, numberOf(log, a));
    return firstOf(log, numberOf(log, a));
  },
  "a checkpoint's JWS is no JWS": async (log, a, b) => {
    await sql(
      "UPDATE audit_checkpoints SET jws = ? WHERE org = ? AND number = ?",
      ["", "a.b.c", "e30.e30.e30", "bnVsbA.e30.e30"][b % 4],
      log.org,
      numberOf(log, a),
    );
    return firstOf(log, numberOf(log, a));
  },
  "a checkpoint is removed": async (log, a) => {
    await sql("DELETE FROM audit_checkpoints WHERE org = ? AND number = ?", log.org, numberOf(log, a));
    return firstOf(log, numberOf(log, a));
  },
  "two checkpoints change places": async (log, a) => {
    const first = 1 + (a % 2);
    await swap("audit_checkpoints", "number", log.org, first, first + 1);
    return firstOf(log, first);
  },
  "a checkpoint and its events come from another log": async (log, a) => {
    const other = `${log.org}-other`;
    await sealedLog(other, log.lengths);
    const number = numberOf(log, a);
    for (const [table, condition] of [
      ["audit_checkpoints", `number = ${number}`],
      ["audit_events", `seq BETWEEN ${firstOf(log, number)} AND ${firstOf(log, number + 1) - 1}`],
    ]) {
      await sql(`DELETE FROM ${table} WHERE org = ? AND ${condition}`, log.org);
      await sql(`UPDATE ${table} SET org = ? WHERE org = ? AND ${condition}`, log.org, other);
    }
    return firstOf(log, number);
  },
  "all of another log takes its place": async (log) => {
    const other = `${log.org}-other`;
    await sealedLog(other, log.lengths);
    for (const table of ["audit_checkpoints", "audit_events", "audit_heads"]) {
      await sql(`DELETE FROM ${table} WHERE org = ?`, log.org);
      await sql(`UPDATE ${table} SET org = ? WHERE org = ?`, log.org, other);
    }
    return 1;
  },
  "the log is cut short with its checkpoints": async (log, a) => {
    const number = numberOf(log, a);
    await sql("DELETE FROM audit_checkpoints WHERE org = ? AND number >= ?", log.org, number);
    await sql("DELETE FROM audit_events WHERE org = ? AND seq >= ?", log.org, firstOf(log, number));
    return firstOf(log, number);
  },
  "the head is removed": async (log) => {
    await sql("DELETE FROM audit_heads WHERE org = ?", log.org);
    return sealedOf(log) + 1;
  },
  "the head says that nothing was sealed, by another key": async (log) => {
    const jws = await signForeign("keyhole-head", { org: log.org, number: 0, checkpoint: null, removed_to: 0 });
    await sql("UPDATE audit_heads SET jws = ? WHERE org = ?", jws, log.org);
    return sealedOf(log) + 1;
  },
  "events are changed and sealed anew with another key": async (log, a) => {
    const number = numberOf(log, a);
    await sql("UPDATE audit_events SET actor = 'x' WHERE org = ? AND seq = ?", log.org, firstOf(log, number));
    await sealAnew(log.org, number);
    return firstOf(log, number);
  },
  "events are changed and sealed anew under the kid of ours": async (log, a) => {
    const number = numberOf(log, a);
    await sql("UPDATE audit_events SET actor = 'x' WHERE org = ? AND seq = ?", log.org, firstOf(log, number));
    await sealAnew(log.org, number, (await loadConfig(env)).logKeys.signer.kid);
    return firstOf(log, number);
  },
  "a removal is passed off as retention": async (log, a) => {
    const seq = event(log, a);
    await sql("UPDATE audit_heads SET removed_to = ? WHERE org = ?", seq, log.org);
    await sql("DELETE FROM audit_events WHERE org = ? AND seq <= ?", log.org, seq);
    return 1;
  },
  "a removal is passed off as retention, signed with another key": async (log, a) => {
    const seq = event(log, a);
    const checkpoint = await sha256((await rowsOf<CheckpointRow>("audit_checkpoints", log.org)).at(-1)?.jws ?? "");
    const jws = await signForeign("keyhole-head", { org: log.org, number: 3, checkpoint, removed_to: seq });
    await sql("UPDATE audit_heads SET removed_to = ?, jws = ? WHERE org = ?", seq, jws, log.org);
    await sql("DELETE FROM audit_events WHERE org = ? AND seq <= ?", log.org, seq);
    return 1;
  },
};

let made = 0;

/** Its first event is of many secrets. */
async function makeLog([first = 0, ...others]: readonly number[], unsealed: number): Promise<Log> {
  const org = `log-${made++}`;
  const lengths = first === 0 ? [] : [first, ...others];
  if (first > 0) await appendMany(org);
  await sealedLog(org, first === 0 ? [] : [first - 1, ...others]);
  await append(org, unsealed);
  return { org, lengths, unsealed };
}

beforeAll(dropTriggers);

it("a log that nobody touched is as it was sealed", async () => {
  const { org } = await makeLog([1, 4, 2], 3);
  expect(await verified(org)).toEqual({ ok: true, checked: 7, unsealed: 3, first_bad: null });
  expect(await verifiedOffline(org)).toEqual(await verified(org));
});

describe("is found, with the first event that is not as it was, also after the log went on:", () => {
  const length = fc.integer({ min: 1, max: 5 });
  it.each(Object.entries(TAMPERINGS))("%s", { timeout: 30_000 }, async (kind, tamper) => {
    const runs = kind === "an event is changed" ? CHANGES.length : 4;
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.tuple(length, length, length), fc.nat(5), fc.nat(1000), fc.nat(1000), async (lengths, unsealed, a, b) => {
        const log = await makeLog(lengths, unsealed);
        const first_bad = await tamper(log, a, kind === "an event is changed" ? run++ : b);
        expect(await verified(log.org)).toMatchObject({ ok: false, first_bad });
        expect(await verifiedOffline(log.org)).toMatchObject({ ok: false, first_bad });
        await append(log.org, 1);
        await seal();
        expect(await verified(log.org)).toMatchObject({ ok: false, first_bad });
      }),
      { numRuns: runs },
    );
  });
});

it("a log that is not what was signed is on /readyz and not sealed further, and the others are", async () => {
  const bad = await makeLog([2, 2, 2], 0);
  await TAMPERINGS["the head is removed"]?.(bad, 0, 0);
  await append(bad.org, 1);
  const good = await makeLog([], 3);
  const { events, refused } = await seal();
  expect([events >= 3, refused >= 1]).toEqual([true, true]);
  expect(await verified(good.org)).toMatchObject({ ok: true, checked: 3, unsealed: 0 });
  const { body } = await call("GET /readyz");
  expect(body.backlog.audit_logs).toBeGreaterThan(0);
});
