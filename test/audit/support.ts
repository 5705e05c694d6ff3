import { env } from "cloudflare:workers";
import { parseEvent, verifyExport } from "../../scripts/verify-export.ts";
import { type EventSecret, insertEvent } from "../../src/worker/audit/insert-event.ts";
import { type Config, loadConfig } from "../../src/worker/config.ts";
import { NO_REGISTRY } from "../../src/worker/log/registry.ts";
import { sealLog } from "../../src/worker/log/seal-log.ts";
import { type CallOptions, call, type Reply } from "../support/call.ts";

export const MINUTE = 60_000;
export const DAY = 86_400_000;
/** When the events of {@link append} begin; each is a second after the one before. */
export const START = Date.parse("2026-01-01T00:00:00Z");

type Call = (request: string, options?: CallOptions) => Promise<Reply>;

/** Appends events to an organization's log. One that does not say its version is left to the schema's default, as requests do. */
export async function append(org: string, count: number, fields: { at?: number; secrets?: string; action?: string; version?: number } = {}): Promise<void> {
  const { version } = fields;
  await env.DB.prepare(
    `WITH RECURSIVE n (seq) AS (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit_events WHERE org = ?1 UNION ALL SELECT seq + 1 FROM n LIMIT ?2)
     INSERT INTO audit_events (org, seq, at, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent${version === undefined ? "" : ", version"})
     SELECT ?1, seq, COALESCE(?3, ${START} + seq * 1000), 'actor-' || (seq % 3), 'tok_' || (seq % 2), COALESCE(?5, 'secret.update'), 'allowed',
       COALESCE(?4, json_array(json_object('id', 'sec_' || (seq % 4), 'name', 'NAME_' || (seq % 4), 'scope', 'team:t', 'version', seq))),
       NULL, 'req_' || hex(randomblob(8)), '192.0.2.1', 'agent'${version === undefined ? "" : `, ${version}`} FROM n`,
  )
    .bind(org, count, fields.at ?? null, fields.secrets ?? null, fields.action ?? null)
    .run();
}

/** Secrets as events name them, so many that they are beside the event. */
export const manySecrets = (prefix: string, count = 500): EventSecret[] =>
  Array.from({ length: count }, (_, n) => ({ id: `sec_${prefix}_${n}`, name: `${"N".repeat(100)}_${n}`, scope: "team:t", version: 1 }));

/** Appends an event, as a verb does, of so many secrets. */
export async function appendMany(org: string, secrets = manySecrets(org)): Promise<void> {
  const actor = { org, subject: "t", tokenId: null, lineage: null, requestId: "req_many", ip: "192.0.2.1", userAgent: "agent" };
  await insertEvent(env.DB, { actor, action: "secret.resolve", outcome: "allowed", at: new Date(START) }, secrets).run();
}

/** How many bytes of an organization each event has in D1, in its own row. */
export async function sizesOf(org: string): Promise<number[]> {
  const { results } = await env.DB.prepare("SELECT * FROM audit_events WHERE org = ? ORDER BY seq").bind(org).all();
  return results.map(
    (row) =>
      new TextEncoder().encode(
        Object.values(row)
          .filter((cell) => cell !== null)
          .join(""),
      ).length,
  );
}

/** Seals every log, as a scheduled run does. */
export async function seal(config?: Config): Promise<{ events: number; refused: number }> {
  const { logKeys, keyring } = config ?? (await loadConfig(env));
  return sealLog({ db: env.DB, keyring, logKeys, now: new Date(START + DAY), registry: NO_REGISTRY });
}

/** Makes a log of sealed stretches of these lengths. */
export async function sealedLog(org: string, lengths: readonly number[]): Promise<void> {
  for (const length of lengths) {
    await append(org, length);
    await seal();
  }
}

/** What a verification says. */
interface Verdict {
  readonly ok: boolean;
  readonly checked: number;
  readonly unsealed: number;
  readonly first_bad: number | null;
  readonly newer?: { readonly seq: number; readonly version: number | null };
  readonly reason?: string;
  readonly restored?: readonly object[];
}

/** What `GET /v1/audit/verify` says, of all its pages together. */
export async function verified(org: string, by: Call = call): Promise<Verdict> {
  let { body } = await by("GET /v1/audit/verify", { token: { org } });
  let { checked } = body;
  while (typeof body.next_cursor === "string") {
    ({ body } = await by(`GET /v1/audit/verify?cursor=${body.next_cursor}`, { token: { org } }));
    checked += body.checked;
  }
  return { ok: body.ok, checked, unsealed: body.unsealed, first_bad: body.first_bad, ...pick(body) };
}

function pick({ newer, reason, restored }: Partial<Verdict>): Partial<Verdict> {
  return { ...(newer && { newer }), ...(reason !== undefined && { reason }), ...(restored && { restored }) };
}

/** An organization's log as it is exported, but that its being exported is not on record. */
export async function exported(org: string, by: Call = call) {
  const token = { org };
  const checkpoints = [];
  let head: string | null = null;
  let generations: string[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { body }: Reply = await by(`GET /v1/audit/checkpoints?limit=200${cursor && `&cursor=${cursor}`}`, { token });
    checkpoints.push(...body.checkpoints);
    head = body.head;
    generations = body.generations ?? [];
    cursor = body.next_cursor;
  }
  const lines: string[] = [];
  // Page by page, which are the same events and no event themselves: the log stays as it is.
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { body }: Reply = await by(`GET /v1/audit?limit=200${cursor && `&cursor=${cursor}`}`, { token });
    lines.unshift(...body.events.toReversed().map((event: object) => JSON.stringify(event)));
    cursor = body.next_cursor;
  }
  const { body: jwks } = await by("GET /.well-known/jwks.json", { token: null });
  return { org, lines, events: lines.map(parseEvent), checkpoints, head, jwks, ...(generations.length > 0 && { generations }) };
}

/** What the offline verifier says. */
export async function verifiedOffline(org: string, by: Call = call) {
  return verifyExport(await exported(org, by));
}

/** Takes away what keeps rows from being changed, as somebody would who can write to D1. */
export async function dropTriggers(): Promise<void> {
  const { results } = await env.DB.prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'audit%' AND tbl_name <> 'audit_entries'").all<{
    name: string;
  }>();
  for (const { name } of results) await env.DB.prepare(`DROP TRIGGER ${name}`).run();
}

/** Runs one statement as somebody would who can write to D1. */
export function sql(text: string, ...parameters: unknown[]): Promise<D1Result> {
  return env.DB.prepare(text)
    .bind(...parameters)
    .run();
}
