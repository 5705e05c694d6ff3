import { notInForce } from "./revocation-rows.ts";

/** A webhook as D1 has it. */
export interface WebhookRow {
  readonly org: string;
  readonly name: string;
  /** Counts its changes. */
  readonly revision: number;
  /** JSON. */
  readonly definition: string;
  /** What its maker's token may read, and what takes that out of force: JSON. */
  readonly maker: string;
  /** Names the text of its secrets. */
  readonly signing_id: string;
  /** Its secrets, encrypted. */
  readonly signing: string;
  readonly created_at: number;
  readonly created_by: string;
  readonly updated_at: number;
  readonly updated_by: string;
  readonly seal: string | null;
}

/** Selects a webhook by its name ({@link WebhookRow}). */
export function selectWebhook(db: D1Database, org: string, name: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM webhooks WHERE org = ? AND name = ?").bind(org, name);
}

/** Selects up to `limit` webhooks after the one that is named `after`, by name ({@link WebhookRow}). */
export function selectWebhooks(db: D1Database, org: string, after: string, limit: number): D1PreparedStatement {
  return db.prepare("SELECT * FROM webhooks WHERE org = ? AND name > ? ORDER BY name LIMIT ?").bind(org, after, limit);
}

/** Inserts a webhook, or replaces all of it; a new one is told of what comes after `now`. */
export function upsertWebhook(db: D1Database, w: WebhookRow, now: number): D1PreparedStatement[] {
  return [
    db
      .prepare(
        `INSERT INTO webhooks (org, name, revision, definition, maker, signing_id, signing, created_at, created_by, updated_at, updated_by, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (org, name) DO UPDATE SET revision = excluded.revision, definition = excluded.definition, maker = excluded.maker, signing_id = excluded.signing_id,
           signing = excluded.signing, created_at = excluded.created_at, created_by = excluded.created_by, updated_at = excluded.updated_at, updated_by = excluded.updated_by, seal = excluded.seal`,
      )
      .bind(w.org, w.name, w.revision, w.definition, w.maker, w.signing_id, w.signing, w.created_at, w.created_by, w.updated_at, w.updated_by, w.seal),
    db
      .prepare(
        "INSERT INTO webhook_marks (org, name, at, seq, looked_at) SELECT ?1, ?2, ?3, COALESCE((SELECT MAX(seq) FROM audit_events WHERE org = ?1), 0), ?3 WHERE true ON CONFLICT DO NOTHING",
      )
      .bind(w.org, w.name, now),
  ];
}

/**
 * Has a webhook begin anew: what it waits to be told is deleted, and it is told of what comes after `now`. A run that has looked for news for it as it was
 * queues none of that, because its mark is another one.
 */
export function beginAnew(db: D1Database, org: string, name: string, now: number): D1PreparedStatement[] {
  return [
    db.prepare("DELETE FROM webhook_deliveries WHERE org = ? AND webhook = ? AND done_at IS NULL").bind(org, name),
    // Two changes of one millisecond have two marks.
    db
      .prepare(
        `UPDATE webhook_marks SET at = MAX(?3, at + 1), seq = COALESCE((SELECT MAX(seq) FROM audit_events WHERE org = ?1), 0), minute = 0, refused = 0, told_at = 0
         WHERE org = ?1 AND name = ?2`,
      )
      .bind(org, name, now),
  ];
}

/** Deletes a webhook; triggers delete what it was to be told. */
export function deleteWebhookRow(db: D1Database, org: string, name: string): D1PreparedStatement {
  return db.prepare("DELETE FROM webhooks WHERE org = ? AND name = ?").bind(org, name);
}

/** Replaces the text of a webhook's secrets by the same under another key, unless it is another one by now. */
export function replaceSigning(db: D1Database, { org, name, signing }: WebhookRow, text: string): D1PreparedStatement {
  return db.prepare("UPDATE webhooks SET signing = ? WHERE org = ? AND name = ? AND signing = ?").bind(text, org, name, signing);
}

/** How far a webhook has been told. Times are milliseconds since 1970, `minute` is one of them. */
export interface WebhookMark {
  readonly at: number;
  readonly seq: number;
  readonly minute: number;
  /** How many calls were refused in that minute. */
  readonly refused: number;
  /** When it was last told of refused calls. */
  readonly told_at: number;
}

/** A webhook that scheduled work comes to. */
export interface WatchedRow extends WebhookRow, WebhookMark {
  /** How many messages wait. */
  readonly waiting: number;
  /** The last event of its organization's log. */
  readonly last: number;
  /** 1 where the token that made it is not in force any more. */
  readonly ended: 0 | 1;
}

// What is no JSON has another seal, too, and is refused for that.
const ENDED = `COALESCE((SELECT ${notInForce("x.marks")} FROM (SELECT CASE WHEN json_valid(w.maker) THEN w.maker -> 'marks' END AS marks) x WHERE json_type(x.marks) = 'object'), 0)`;

/** Of so many whose turn was the longest ago each organization has its own. */
const STRETCH = 2_000;

/** Selects up to `limit` webhooks, of each organization those first whose turn was the longest ago ({@link WatchedRow}). */
export function selectWatched(db: D1Database, limit: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT w.*, m.at, m.seq, m.minute, m.refused, m.told_at, ${ENDED} AS ended,
         (SELECT COUNT(*) FROM webhook_deliveries d WHERE d.org = w.org AND d.webhook = w.name AND d.done_at IS NULL) AS waiting,
         COALESCE((SELECT MAX(e.seq) FROM audit_events e WHERE e.org = w.org), 0) AS last
       FROM (
         SELECT * FROM (SELECT * FROM webhook_marks ORDER BY looked_at LIMIT ${STRETCH}) ORDER BY ROW_NUMBER() OVER (PARTITION BY org ORDER BY looked_at), looked_at LIMIT ?
       ) m CROSS JOIN webhooks w ON w.org = m.org AND w.name = m.name`,
    )
    .bind(limit);
}

/** Makes the marks that a restored deployment has none of: its webhooks are told of what comes after `now`. */
export function insertMissingMarks(db: D1Database, now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO webhook_marks (org, name, at, seq, looked_at)
       SELECT w.org, w.name, ?1, COALESCE((SELECT MAX(e.seq) FROM audit_events e WHERE e.org = w.org), 0), ?1 FROM webhooks w
       WHERE NOT EXISTS (SELECT 1 FROM webhook_marks m WHERE m.org = w.org AND m.name = w.name)`,
    )
    .bind(now);
}

/** A webhook's mark, as it was and as it is to be. */
export interface MovedMark {
  readonly org: string;
  readonly name: string;
  readonly was: WebhookMark;
  readonly mark: WebhookMark;
}

/** Moves marks; aborts the batch with the guard `unchanged` when one is not what it was: somebody else has queued the same. */
export function moveMarks(db: D1Database, moved: readonly MovedMark[], now: number): D1PreparedStatement[] {
  const json = JSON.stringify(moved);
  return [
    db
      .prepare(
        `INSERT INTO guard (unchanged) SELECT 0 WHERE EXISTS (
           SELECT 1 FROM json_each(?) j LEFT JOIN webhook_marks m ON m.org = j.value ->> 'org' AND m.name = j.value ->> 'name'
           WHERE m.at IS NOT j.value ->> '$.was.at' OR m.seq IS NOT j.value ->> '$.was.seq')`,
      )
      .bind(json),
    db
      .prepare(
        `UPDATE webhook_marks SET at = j.value ->> '$.mark.at', seq = j.value ->> '$.mark.seq', minute = j.value ->> '$.mark.minute',
           refused = j.value ->> '$.mark.refused', told_at = j.value ->> '$.mark.told_at', looked_at = ?2
         FROM json_each(?1) j WHERE webhook_marks.org = j.value ->> 'org' AND webhook_marks.name = j.value ->> 'name'`,
      )
      .bind(json, now),
  ];
}

/** A webhook, and whether its maker's token is not in force any more. */
export type NamedWebhookRow = WebhookRow & Pick<WatchedRow, "ended">;

/** Selects webhooks by the messages that are for them ({@link NamedWebhookRow}). */
export function selectNamedWebhooks(db: D1Database, of: readonly { readonly org: string; readonly webhook: string }[]): D1PreparedStatement {
  return db
    .prepare(
      `SELECT w.*, ${ENDED} AS ended FROM (SELECT DISTINCT value ->> 'org' AS org, value ->> 'webhook' AS name FROM json_each(?)) j
       CROSS JOIN webhooks w ON w.org = j.org AND w.name = j.name`,
    )
    .bind(JSON.stringify(of.map(({ org, webhook }) => ({ org, webhook }))));
}
