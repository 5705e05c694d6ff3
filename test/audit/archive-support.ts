import { env } from "cloudflare:workers";
import type { AuditEvent } from "../../src/contract/audit.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { archiveLog } from "../../src/worker/log/archive-log.ts";
import type { ArchivedEvents, ArchiveNeeds } from "../../src/worker/log/archive-needs.ts";
import { digestLog } from "../../src/worker/log/digest-log.ts";
import { NO_REGISTRY } from "../../src/worker/log/registry.ts";
import { removeOldEvents } from "../../src/worker/log/remove-old-events.ts";
import { call } from "../support/call.ts";
import { append, DAY, MINUTE, START, seal } from "./support.ts";

/** When what {@link makeLog} makes is due for the archive. */
export const DUE = START + 30 * DAY;

/** Makes a log of sealed stretches of two events, each of one day, that the digest has gone through. */
export async function makeLog(org: string, days: readonly number[], fields: { action?: string } = {}): Promise<void> {
  for (const day of days) {
    await append(org, 2, { at: START + day * DAY, ...fields });
    await seal();
  }
  await digestLog({ db: env.DB, now: new Date(DUE) });
}

/** A scheduled run's part in it, some minutes after {@link DUE}. */
export async function archive(minutes: number, needs: Partial<ArchiveNeeds> = {}): Promise<ArchivedEvents> {
  const { keyring, logKeys } = await loadConfig(env);
  return archiveLog({ db: env.DB, kv: env.KV, keyring, logKeys, hotDays: 7, registry: NO_REGISTRY, now: new Date(DUE + minutes * MINUTE), ...needs });
}

/** Runs until all that is due is archived: each log one object after the other. */
export async function archiveAll(from = 0): Promise<void> {
  for (let minutes = from, idle = 0; idle < 2; minutes += 6) {
    const { put, archived } = await archive(minutes);
    idle = put + archived === 0 ? idle + 1 : 0;
  }
}

/** A run of retention, days after the first event. */
export async function remove(days: number, retentionDays = 60) {
  const { keyring, logKeys } = await loadConfig(env);
  return removeOldEvents({ db: env.DB, kv: env.KV, keyring, logKeys, registry: NO_REGISTRY, retentionDays, now: new Date(START + days * DAY) });
}

const isNoExport = ({ action }: AuditEvent) => action !== "audit.export";

/** All events of a log, page by page, newest first, but for those of {@link stream}. */
export async function readAll(org: string, query = "limit=200"): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for (let cursor = ""; ; ) {
    const { status, body } = await call(`GET /v1/audit?${query}${cursor}`, { token: { org } });
    if (status !== 200) throw new Error(`${status} ${body.code}`);
    events.push(...body.events.filter(isNoExport));
    if (body.next_cursor === null) return events;
    cursor = `&cursor=${body.next_cursor}`;
  }
}

/** The same as a stream, oldest first. */
export async function stream(org: string, query = ""): Promise<AuditEvent[]> {
  const { text } = await call(`GET /v1/audit?format=ndjson&${query}`, { token: { org } });
  return text
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line)]))
    .filter(isNoExport);
}

/** How many rows a table has of an organization. */
export const count = (table: string, org: string) => env.DB.prepare(`SELECT COUNT(*) AS n FROM ${table} WHERE org = ?`).bind(org).first<number>("n");

/** The archives of a log, as D1 has them. */
export async function archivesOf(org: string) {
  const { results } = await env.DB.prepare("SELECT * FROM audit_archives WHERE org = ? ORDER BY first_number").bind(org).all<Record<string, string & number>>();
  return results;
}
