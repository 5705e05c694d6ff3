/** A program that waits to be let in, as it is stored. Times are milliseconds since 1970. */
export interface DeviceRow {
  readonly hash: string;
  readonly user_hash: string;
  readonly network: string;
  readonly sealed: string;
  /** 1 once it is decided. */
  readonly decided: 0 | 1;
  /** When it may ask again, and how long it has to wait from one time to the next. */
  readonly ask_at: number;
  readonly pause: number;
  readonly expires_at: number;
}

/** How many may wait that ask from one network, and in all. */
const OF_NETWORK = 20;
const IN_ALL = 10_000;

/** Inserts a program that waits, unless too many do: then the second result is empty. Those that waited too long go. */
export function insertDevice(db: D1Database, d: DeviceRow, now: number): D1PreparedStatement[] {
  return [
    db.prepare("DELETE FROM device_requests WHERE expires_at <= ?").bind(now),
    db
      .prepare(
        `INSERT INTO device_requests (hash, user_hash, network, sealed, decided, ask_at, pause, expires_at)
         SELECT ?1, ?2, ?3, ?4, 0, ?5, ?6, ?7
         WHERE (SELECT COUNT(*) FROM device_requests WHERE network = ?3) < ${OF_NETWORK} AND (SELECT COUNT(*) FROM device_requests) < ${IN_ALL}
         RETURNING hash`,
      )
      .bind(d.hash, d.user_hash, d.network, d.sealed, d.ask_at, d.pause, d.expires_at),
  ];
}

/** Selects the program that shows a code to its user. */
export function selectDeviceOfUser(db: D1Database, userHash: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM device_requests WHERE user_hash = ?").bind(userHash);
}

/** Decides about a program, once: the result is empty where it is decided, or waits no more. */
export function decideDevice(db: D1Database, hash: string, sealed: string): D1PreparedStatement {
  return db.prepare("UPDATE device_requests SET sealed = ?, decided = 1 WHERE hash = ? AND decided = 0 RETURNING hash").bind(sealed, hash);
}

/** Selects the program that asks. */
export function selectDevice(db: D1Database, hash: string): D1PreparedStatement {
  return db.prepare("SELECT * FROM device_requests WHERE hash = ?").bind(hash);
}

/** Notes that a program that is to wait has asked: after that it waits so long, and one that asked too soon longer. */
export function noteAsked(db: D1Database, hash: string, now: number, longer: number): D1PreparedStatement {
  return db
    .prepare("UPDATE device_requests SET pause = pause + IIF(ask_at > ?2, ?3, 0), ask_at = ?2 + pause + IIF(ask_at > ?2, ?3, 0) WHERE hash = ?1")
    .bind(hash, now, longer);
}

/** Takes a program about which is decided: what was decided is there for one who asks, and for nobody after that. */
export function takeDevice(db: D1Database, hash: string): D1PreparedStatement {
  return db.prepare("DELETE FROM device_requests WHERE hash = ? AND decided = 1 RETURNING *").bind(hash);
}
