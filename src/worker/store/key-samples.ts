/** Data keys that are wrapped under one key of the keyring: of the oldest versions and archives, and of the newest. */
export interface KeySample {
  readonly key_id: string;
  /** JSON arrays of wrapped keys. */
  readonly oldest: string;
  readonly newest: string;
}

/** How many of each: one row may be damaged, and says nothing of the key then. */
const EACH = 3;

const some = (table: string, order: "ASC" | "DESC") =>
  `SELECT * FROM (SELECT t.wrapped_key FROM ${table} t WHERE t.key_id = ids.id ORDER BY t.created_at ${order} LIMIT ${EACH})`;

const wrappedKeys = (order: "ASC" | "DESC") =>
  `(SELECT json_group_array(wrapped_key) FROM (${some("versions", order)} UNION ALL ${some("audit_archives", order)}))`;

const nextId = (condition: (column: string) => string) =>
  `(SELECT MIN(id) FROM (SELECT MIN(key_id) AS id FROM versions WHERE ${condition("key_id")} UNION ALL SELECT MIN(key_id) FROM audit_archives WHERE ${condition("key_id")}))`;

const COLUMNS = `id AS key_id, ${wrappedKeys("ASC")} AS oldest, ${wrappedKeys("DESC")} AS newest`;

/** Selects a sample of what is under a key ({@link KeySample}): no row where nothing is. */
export function selectKeySample(db: D1Database, keyId: string): D1PreparedStatement {
  return db
    .prepare(
      `WITH ids (id) AS (SELECT ?) SELECT ${COLUMNS} FROM ids WHERE EXISTS (SELECT 1 FROM versions WHERE key_id = ids.id) OR EXISTS (SELECT 1 FROM audit_archives WHERE key_id = ids.id)`,
    )
    .bind(keyId);
}

/** Selects a sample of what is under each key that anything is under ({@link KeySample}), in a handful of index look-ups for each. */
export function selectKeySamples(db: D1Database): D1PreparedStatement {
  return db.prepare(
    `WITH RECURSIVE ids (id) AS (
       SELECT ${nextId((column) => `${column} IS NOT NULL`)}
       UNION ALL SELECT ${nextId((column) => `${column} > ids.id`)} FROM ids WHERE ids.id IS NOT NULL
     )
     SELECT ${COLUMNS} FROM ids WHERE id IS NOT NULL`,
  );
}
