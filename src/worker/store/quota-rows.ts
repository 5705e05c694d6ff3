import type { Quota } from "../../contract/quota.ts";

/** What an organization has of its own, as D1 has it. `limits` is a JSON object of quotas. */
export interface QuotaRow {
  readonly org: string;
  readonly limits: string;
  readonly updated_at: number;
  readonly updated_by: string;
  readonly seal: string | null;
}

/** Selects the quotas of an organization that has its own ({@link QuotaRow}). */
export function selectQuotas(db: D1Database, org: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM quotas WHERE org = ?").bind(org);
}

/** Sets the quotas of an organization. */
export function upsertQuotas(db: D1Database, { org, limits, updated_at, updated_by, seal }: QuotaRow): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO quotas (org, limits, updated_at, updated_by, seal) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (org) DO UPDATE SET limits = excluded.limits, updated_at = excluded.updated_at, updated_by = excluded.updated_by, seal = excluded.seal`,
    )
    .bind(org, limits, updated_at, updated_by, seal);
}

/** What there is of an organization, as `usage` has it, and its events of the last minute. */
export type UsageRow = Readonly<Record<Exclude<Quota, "writes_per_minute" | "events_per_minute">, number>> & {
  readonly minute: number;
  readonly writes: number;
  readonly events: number;
  /** Secrets that were deleted and can come back. */
  readonly deleted: number;
};

const MINUTE = 60_000;
const minuteOf = (now: number) => Math.floor(now / MINUTE);

/** How many writes an organization has made in the minute of `now`. */
export function writesIn({ minute, writes }: Pick<UsageRow, "minute" | "writes">, now: number): number {
  return minute === minuteOf(now) ? writes : 0;
}

/** Selects what there is of an organization ({@link UsageRow}); events are counted up to `most`. No row: nothing. */
export function selectUsage(db: D1Database, org: string, now: number, most: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT secrets, versions, bytes, scopes, tokens, trusts, services, stores, webhooks, revocations, minute, writes,
         (SELECT COUNT(*) FROM (SELECT at FROM audit_events WHERE org = ?1 ORDER BY seq DESC LIMIT ?3) WHERE at > ?2) AS events,
         (SELECT COUNT(*) FROM secrets WHERE org = ?1 AND deleted_at IS NOT NULL) AS deleted
       FROM (SELECT 1) LEFT JOIN usage ON org = ?1`,
    )
    .bind(org, now - MINUTE, most);
}

/** The quotas that a write is compared with once it is made. */
export type Kept = Exclude<Quota, "writes_per_minute" | "events_per_minute">;

/** How the guards of quotas are called. */
export const QUOTA_GUARD = "quota_";

/** Statements around those of a write. */
export interface QuotaGuards {
  readonly before: D1PreparedStatement;
  readonly after: D1PreparedStatement;
}

/**
 * Counts writes of the minute of `now`, and aborts the batch with the guard `quota_<quota>` when the write has made something
 * more, and more than its quota.
 *
 * @param kept What of {@link Kept} the write may add to.
 * @param made How many writes it is; 0 for what the quota of writes does not hold up.
 */
export function requireQuotas(
  db: D1Database,
  org: string,
  quotas: Readonly<Record<Quota, number>>,
  { kept, made }: { readonly kept: readonly Kept[]; readonly made: number },
  now: number,
): QuotaGuards {
  const over = [
    ...kept.map((quota) => [quota, `${quota} > ?2 ->> '${quota}' AND ${quota} > COALESCE(before ->> '${quota}', 0)`] as const),
    ["writes_per_minute", "?3 > 0 AND writes > ?2 ->> 'writes_per_minute'"] as const,
  ];
  const found = `json_object(${kept.map((quota) => `'${quota}', ${quota}`).join(", ")})`;
  const before = db
    .prepare(
      `INSERT INTO usage (org, minute, writes) VALUES (?1, ?2, ?3)
       ON CONFLICT (org) DO UPDATE SET writes = IIF(minute = excluded.minute, writes, 0) + excluded.writes, minute = excluded.minute, before = ${found}`,
    )
    .bind(org, minuteOf(now), made);
  const after = db
    .prepare(
      `INSERT INTO guard (${over.map(([quota]) => QUOTA_GUARD + quota).join(", ")})
       SELECT ${over.map(([, sql]) => `NOT (${sql})`).join(", ")} FROM usage WHERE org = ?1 AND (${over.map(([, sql]) => sql).join(" OR ")})`,
    )
    .bind(org, JSON.stringify(quotas), made);
  return { before, after };
}

/** How many events of the minute of `now` refused calls have made: SQL, of the SQL of its parts. */
export function refusedInMinute(org: string, now: string): string {
  return `COALESCE((SELECT u.refused FROM usage u WHERE u.org = ${org} AND u.refused_minute = ${now} / ${MINUTE}), 0)`;
}

/** How many bytes of lists beside events there are of the minute of `now`: SQL, of the SQL of its parts. */
export function listedInMinute(org: string, now: string): string {
  return `COALESCE((SELECT u.listed FROM usage u WHERE u.org = ${org} AND u.listed_minute = ${now} / ${MINUTE}), 0)`;
}

/** SQL for how many events an organization may have in a minute, of the SQL for it and for what it is where it has no quota of its own. */
export function eventsAMinute(org: string, usual: string): string {
  return `COALESCE((SELECT q.limits ->> 'events_per_minute' FROM quotas q WHERE q.org = ${org}), ${usual})`;
}

/** Selects what there is of an organization as the triggers keep it, without counting anything: {@link UsageRow} without what is counted. */
export function selectKept(db: D1Database, org: string): D1PreparedStatement {
  return db
    .prepare("SELECT secrets, versions, bytes, scopes, tokens, trusts, services, stores, webhooks, revocations, minute, writes FROM usage WHERE org = ?")
    .bind(org);
}
