import type { Action } from "../../contract/audit.ts";
import { SECRETS } from "./event-secrets.ts";

/** The tables whose rows events speak of. */
export type RecordedTable = "secrets" | "scopes" | "scope_stores" | "trusts" | "services" | "stores" | "webhooks" | "tokens";

/** As the indexes say it (migration 0043), or they are not used. */
const INDEXED = `e.outcome = 'allowed' AND e.action IN (
  'secret.create', 'secret.update', 'secret.delete', 'secret.undelete', 'secret.purge', 'secret.rollback', 'secret.import',
  'token.create', 'token.exchange', 'trust.put', 'trust.delete', 'scope.put', 'scope.delete', 'keys.seal', 'log.restored', 'service.put', 'service.delete',
  'store.put', 'store.delete', 'webhook.put', 'webhook.delete')`;

const ACCEPTS = "e.outcome = 'allowed' AND e.action IN ('keys.seal', 'log.restored')";
/** The operator's own log also has the restores of others: there the target begins with the organization's name. */
const OWN_RESTORE = "e.action = 'log.restored' AND e.target GLOB 'generation:[0-9]*'";

interface Recorded {
  /** The actions that say of a row of the table that it is there now, or is not. */
  readonly actions: readonly Action[];
  readonly from: string;
  /** The SQL for the columns of the key, as they are named in the table. */
  readonly key: readonly string[];
  readonly version: string;
}

const UNDER = "instr(e.target, ' under ')";
/** What is about a scope and its store says so in its target; no scope has a space. */
const IN_STORE = "instr(e.target, ' in ')";
const RECORDED: Readonly<Record<RecordedTable, Recorded>> = {
  secrets: {
    // Destroying a version leaves the secret's row as it was: the current version cannot be destroyed.
    actions: ["secret.create", "secret.update", "secret.delete", "secret.undelete", "secret.purge", "secret.rollback", "secret.import"],
    // A dry run changes nothing.
    from: `CROSS JOIN json_each(${SECRETS}) x ON x.value ->> 'id' IS NOT NULL AND COALESCE(e.target, '') NOT LIKE 'dry-run:%'`,
    key: ["x.value ->> 'id'"],
    version: "x.value ->> 'version'",
  },
  scopes: {
    actions: ["scope.put", "scope.delete"],
    from: `CROSS JOIN (SELECT 1) x ON ${IN_STORE} = 0`,
    key: ["e.org", `CASE WHEN ${UNDER} > 0 THEN substr(e.target, 1, ${UNDER} - 1) ELSE e.target END`],
    version: "NULL",
  },
  scope_stores: {
    actions: ["scope.put", "scope.delete"],
    from: `CROSS JOIN (SELECT 1) x ON ${IN_STORE} > 0`,
    key: ["e.org", `substr(e.target, 1, ${IN_STORE} - 1)`],
    version: "NULL",
  },
  trusts: { actions: ["trust.put", "trust.delete"], from: "", key: ["e.org", "e.target"], version: "NULL" },
  services: { actions: ["service.put", "service.delete"], from: "", key: ["e.org", "e.target"], version: "NULL" },
  stores: { actions: ["store.put", "store.delete"], from: "", key: ["e.org", "e.target"], version: "NULL" },
  webhooks: { actions: ["webhook.put", "webhook.delete"], from: "", key: ["e.org", "e.target"], version: "NULL" },
  tokens: {
    actions: ["token.create", "token.exchange"],
    from: "",
    key: ["CASE e.action WHEN 'token.create' THEN e.target ELSE e.token_id END"],
    version: "NULL",
  },
};

/** A stretch of a table. */
export interface RowStretch {
  readonly table: RecordedTable;
  /** Makes the SQL for whether keys are in the stretch, of the SQL for `parameter`. */
  readonly within: (keys: readonly string[], parameter: string) => string;
  /** Makes the SQL that selects the organizations (`org`) of its rows. */
  readonly orgs: (parameter: string) => string;
  readonly parameter: string;
}

/** Up to which event of an organization's log its rows were compared. */
export type ComparedTo = Readonly<Record<string, number>>;

/** The organizations of rows, and from which event on each one's log is looked at: all of it, of one that had none. */
function organizations({ orgs }: RowStretch): string {
  return `orgs (org, since) AS (
    SELECT j.key, j.value FROM json_each(?1) j
    UNION ALL
    SELECT DISTINCT r.org, -1 FROM (${orgs("?2")}) r WHERE r.org NOT IN (SELECT k.key FROM json_each(?1) k))`;
}

/** How far the log of an organization has come. */
export interface LogEnd {
  readonly org: string;
  readonly last: number;
  /** When its last event was, and the one up to which its rows were compared, in milliseconds since 1970; `null` for one that is not in D1. */
  readonly last_at: number | null;
  readonly since_at: number | null;
  /** 1 where a restore was accepted, or rows were confirmed by a person: then rows are what they are now. */
  readonly accepted: 0 | 1;
}

/**
 * Selects how far the logs of the organizations of a stretch have come ({@link LogEnd}).
 *
 * @param since A restore that was accepted since then counts, whatever its number: the ones of before were lost with it.
 */
export function selectLogEnds(db: D1Database, stretch: RowStretch, compared: ComparedTo, since: number): D1PreparedStatement {
  return db
    .prepare(
      `WITH ${organizations(stretch)}
       SELECT o.org, COALESCE((SELECT MAX(l.seq) FROM audit_events l WHERE l.org = o.org), 0) AS last,
         (SELECT l.at FROM audit_events l WHERE l.org = o.org ORDER BY l.seq DESC LIMIT 1) AS last_at,
         (SELECT l.at FROM audit_events l WHERE l.org = o.org AND l.seq = o.since) AS since_at,
         (o.since >= 0 AND EXISTS (
           SELECT 1 FROM audit_events e INDEXED BY audit_events_on_every_row WHERE e.org = o.org AND ${INDEXED} AND e.seq > o.since AND ${ACCEPTS} AND (e.action = 'keys.seal' OR ${OWN_RESTORE})))
         OR EXISTS (
           SELECT 1 FROM audit_events e INDEXED BY audit_events_that_accept WHERE e.org = o.org AND ${ACCEPTS} AND e.at > ?3 AND ${OWN_RESTORE}) AS accepted
       FROM orgs o`,
    )
    .bind(JSON.stringify(compared), stretch.parameter, since);
}

/** The last event since the last comparison that says of a row whether it is there. */
export interface RowEvent {
  readonly org: string;
  /** JSON. */
  readonly row_key: string;
  readonly at: number;
  readonly action: Action;
  readonly target: string | null;
  /** Of a secret. */
  readonly version: number | null;
}

/** Selects, for each row of a stretch of which events since the last comparison speak, the last one ({@link RowEvent}). */
export function selectRowEvents(db: D1Database, stretch: RowStretch, compared: ComparedTo): D1PreparedStatement {
  const { actions, from, key, version } = RECORDED[stretch.table];
  const names = actions.map((action) => `'${action}'`).join(", ");
  return db
    .prepare(
      `WITH ${organizations(stretch)}
       SELECT e.org, json_array(${key.join(", ")}) AS row_key, MAX(e.seq) AS seq, e.at, e.action, e.target, ${version} AS version
       FROM orgs o CROSS JOIN audit_events e INDEXED BY audit_events_on_every_row ON e.org = o.org AND e.seq > o.since AND ${INDEXED} AND e.action IN (${names}) ${from}
       WHERE ${stretch.within(key, "?2")} GROUP BY 1, 2`,
    )
    .bind(JSON.stringify(compared), stretch.parameter);
}
