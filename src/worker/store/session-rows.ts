/** A session as it is stored. `idle_until` is milliseconds since 1970. */
export interface SessionRow {
  readonly hash: string;
  readonly org: string;
  readonly sealed: string;
  readonly idle_until: number;
}

/** Inserts a session; those that nobody has used in time go. */
export function insertSession(db: D1Database, { hash, org, sealed, idle_until }: SessionRow, now: number): D1PreparedStatement[] {
  return [
    db.prepare("DELETE FROM sessions WHERE idle_until <= ?").bind(now),
    db.prepare("INSERT INTO sessions (hash, org, sealed, idle_until) VALUES (?, ?, ?, ?)").bind(hash, org, sealed, idle_until),
  ];
}

/** Selects a session, whether it has ended or not. */
export function selectSession(db: D1Database, hash: string): D1PreparedStatement {
  return db.prepare("SELECT hash, org, sealed, idle_until FROM sessions WHERE hash = ?").bind(hash);
}

/** Has a session that is there last longer. One that was ended stays so. */
export function extendSession(db: D1Database, { hash, sealed, idle_until }: SessionRow): D1PreparedStatement {
  return db.prepare("UPDATE sessions SET sealed = ?, idle_until = ? WHERE hash = ?").bind(sealed, idle_until, hash);
}

/** Ends a session. */
export function deleteSession(db: D1Database, hash: string): D1PreparedStatement {
  return db.prepare("DELETE FROM sessions WHERE hash = ?").bind(hash);
}

/** A code as it is stored. `expires_at` is milliseconds since 1970. */
export interface LoginCodeRow {
  readonly hash: string;
  readonly sealed: string;
  readonly expires_at: number;
}

/** Inserts a code; those that nobody has taken in time go. */
export function insertLoginCode(db: D1Database, { hash, sealed, expires_at }: LoginCodeRow, now: number): D1PreparedStatement[] {
  return [
    db.prepare("DELETE FROM login_codes WHERE expires_at <= ?").bind(now),
    db.prepare("INSERT INTO login_codes (hash, sealed, expires_at) VALUES (?, ?, ?)").bind(hash, sealed, expires_at),
  ];
}

/** Takes a code: it is there for one who asks, and for nobody after that. */
export function takeLoginCode(db: D1Database, hash: string): D1PreparedStatement {
  return db.prepare("DELETE FROM login_codes WHERE hash = ? RETURNING hash, sealed, expires_at").bind(hash);
}
