/** Data keys that are wrapped under one key of the keyring: of the oldest versions, and of the newest. */
export interface KeySample {
  readonly key_id: string;
  /** JSON arrays of wrapped keys. */
  readonly oldest: string;
  readonly newest: string;
}

/** How many of each: one row may be damaged, and says nothing of the key then. */
const EACH = 3;

const wrappedKeys = (order: "ASC" | "DESC") =>
  `(SELECT json_group_array(wrapped_key) FROM (SELECT v.wrapped_key FROM versions v WHERE v.key_id = ids.id ORDER BY v.created_at ${order} LIMIT ${EACH}))`;

const COLUMNS = `id AS key_id, ${wrappedKeys("ASC")} AS oldest, ${wrappedKeys("DESC")} AS newest`;

/** Selects a sample of what is under a key ({@link KeySample}): no row where nothing is. */
export function selectKeySample(db: D1Database, keyId: string): D1PreparedStatement {
  return db.prepare(`WITH ids (id) AS (SELECT ?) SELECT ${COLUMNS} FROM ids WHERE EXISTS (SELECT 1 FROM versions WHERE key_id = ids.id)`).bind(keyId);
}

/** Selects a sample of what is under each key that anything is under ({@link KeySample}), in a handful of index look-ups for each. */
export function selectKeySamples(db: D1Database): D1PreparedStatement {
  return db.prepare(
    `WITH RECURSIVE ids (id) AS (
       SELECT MIN(key_id) FROM versions WHERE key_id IS NOT NULL
       UNION ALL SELECT (SELECT MIN(key_id) FROM versions WHERE key_id > ids.id) FROM ids WHERE ids.id IS NOT NULL
     )
     SELECT ${COLUMNS} FROM ids WHERE id IS NOT NULL`,
  );
}
