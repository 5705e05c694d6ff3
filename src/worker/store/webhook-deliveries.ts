import { fairSelect } from "./fair-select.ts";

/** A message of a webhook, as D1 has it. Times are milliseconds since 1970. */
export interface DeliveryRow {
  readonly id: string;
  readonly org: string;
  readonly webhook: string;
  readonly event: string;
  /** What is sent: JSON. */
  readonly payload: string;
  readonly created_at: number;
  readonly attempts: number;
  readonly next_at: number;
  readonly done_at: number | null;
  readonly outcome: "delivered" | "given-up" | null;
  readonly status: number | null;
  readonly seal: string | null;
}

const COLUMNS = ["id", "org", "webhook", "event", "payload", "created_at", "attempts", "next_at", "done_at", "outcome", "status", "seal"] as const;

/** Of each webhook so many messages that came to an end are kept. */
const KEPT = 50;

/** Inserts messages. */
export function insertDeliveries(db: D1Database, rows: readonly DeliveryRow[]): D1PreparedStatement {
  return db
    .prepare(`INSERT INTO webhook_deliveries (${COLUMNS.join(", ")}) SELECT ${COLUMNS.map((column) => `value ->> '${column}'`).join(", ")} FROM json_each(?)`)
    .bind(JSON.stringify(rows));
}

/** Selects up to `limit` messages that are due, of each organization its share ({@link DeliveryRow}). */
export function selectDueDeliveries(db: D1Database, now: number, limit: number, turn: number): D1PreparedStatement {
  const waiting = {
    table: "webhook_deliveries",
    indexed: "done_at IS NULL",
    due: "next_at <= ?1",
    order: "next_at",
    key: "id",
    columns: COLUMNS.filter((one) => one !== "org"),
  };
  return db.prepare(fairSelect(waiting, { limit: "?2", turn: "?3" })).bind(now, limit, turn);
}

/** A message that is about to be sent, and when it is tried again. */
export interface Claim {
  readonly id: string;
  readonly attempts: number;
  readonly next_at: number;
}

/** Takes messages for one attempt, of which each is one more now: those that nobody else has taken are returned, as `id`. */
export function claimDeliveries(db: D1Database, claims: readonly Claim[]): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE webhook_deliveries SET attempts = attempts + 1, next_at = j.value ->> 'next_at' FROM json_each(?) j
       WHERE webhook_deliveries.id = j.value ->> 'id' AND attempts = j.value ->> 'attempts' AND done_at IS NULL RETURNING webhook_deliveries.id AS id`,
    )
    .bind(JSON.stringify(claims));
}

/** What an attempt came to. */
export interface Attempted extends Pick<DeliveryRow, "id" | "outcome" | "status" | "done_at"> {}

/** Notes what attempts came to; what has an outcome is over. */
export function noteAttempts(db: D1Database, attempted: readonly Attempted[]): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE webhook_deliveries SET status = j.value ->> 'status', outcome = j.value ->> 'outcome', done_at = j.value ->> 'done_at' FROM json_each(?) j
       WHERE webhook_deliveries.id = j.value ->> 'id' AND webhook_deliveries.done_at IS NULL`,
    )
    .bind(JSON.stringify(attempted));
}

/** Deletes what has come to an end, of the webhooks of some messages, but for the last of it. */
export function forgetDeliveries(db: D1Database, of: readonly Pick<DeliveryRow, "org" | "webhook">[]): D1PreparedStatement {
  return db
    .prepare(
      `DELETE FROM webhook_deliveries WHERE id IN (
         SELECT id FROM (SELECT d.id, ROW_NUMBER() OVER (PARTITION BY d.org, d.webhook ORDER BY d.created_at DESC, d.id) AS place
           FROM (SELECT DISTINCT value ->> 'org' AS org, value ->> 'webhook' AS webhook FROM json_each(?)) j
           CROSS JOIN webhook_deliveries d ON d.org = j.org AND d.webhook = j.webhook AND d.done_at IS NOT NULL)
         WHERE place > ${KEPT})`,
    )
    .bind(JSON.stringify(of.map(({ org, webhook }) => ({ org, webhook }))));
}

/** Selects the last messages of a webhook, the newest first ({@link DeliveryRow}). */
export function selectDeliveries(db: D1Database, org: string, webhook: string): D1PreparedStatement {
  return db
    .prepare(`SELECT ${COLUMNS.join(", ")} FROM webhook_deliveries WHERE org = ? AND webhook = ? ORDER BY created_at DESC, id LIMIT ${2 * KEPT}`)
    .bind(org, webhook);
}
