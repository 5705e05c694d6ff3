/** A table whose rows a backup carries. */
export interface CarriedTable {
  /** The columns that name a row, in the order in which pages go through the table. */
  readonly key: readonly string[];
  /** How many rows one page has at the most. */
  readonly rows: number;
  /** Which rows, as SQL for the table `t`; all of them where there is none. */
  readonly only?: string;
  /** Columns that are not carried, and why not. */
  readonly anew?: Readonly<Record<string, string>>;
  /** The columns that change in a row, where not all of the others do. `[]`: a row never changes. */
  readonly changing?: readonly string[];
}

const ROWS = 500;

/**
 * The tables that a backup carries, in the order in which a restore fills them: what takes out of force comes before what it is
 * about. All columns are, but for those that D1 computes and those that say why not. A table of the database that is neither
 * here nor in {@link MADE_ANEW} fails a test.
 */
const CARRIED_TABLES = {
  quotas: { key: ["org"], rows: ROWS },
  revocations: { key: ["org", "n"], rows: ROWS, changing: ["seal"] },
  trusts: { key: ["org", "name"], rows: 100 },
  scopes: {
    key: ["org", "scope"],
    rows: ROWS,
    only: "t.parent IS NOT NULL OR t.seal IS NOT NULL",
    anew: { secrets: "triggers count" },
  },
  services: { key: ["org", "name"], rows: 100 },
  stores: { key: ["org", "name"], rows: 100 },
  webhooks: { key: ["org", "name"], rows: 100 },
  scope_stores: { key: ["org", "scope"], rows: ROWS },
  tokens: { key: ["id"], rows: ROWS },
  used_identities: { key: ["org", "trust", "digest"], rows: ROWS },
  secrets: { key: ["id"], rows: ROWS },
  scope_revisions: { key: ["org", "scope"], rows: ROWS },
  versions: {
    key: ["secret_id", "version"],
    rows: 100,
    anew: { kv_put_at: "the ciphertext is inline, until scheduled work has put it into KV", retry_at: "when scheduled work comes to it again" },
  },
  audit_events: { key: ["org", "seq"], rows: ROWS, changing: [] },
  audit_lists: { key: ["org", "seq"], rows: 20, changing: [] },
  audit_checkpoints: { key: ["org", "number"], rows: 200, changing: [] },
  audit_generations: { key: ["org", "generation"], rows: 200, changing: [] },
  audit_heads: { key: ["org"], rows: ROWS },
  // What is on its way to the archive is still in D1.
  audit_archives: {
    key: ["org", "first_number"],
    rows: 4,
    only: "t.archived_at IS NOT NULL",
    anew: { retry_at: "when scheduled work comes to it again" },
    changing: ["key_id", "wrapped_key", "seal"],
  },
  audit_archive_secrets: { key: ["org", "secret_id", "first_number"], rows: ROWS, changing: [] },
} as const satisfies Readonly<Record<string, CarriedTable>>;

/** A table whose rows are carried. */
export type CarriedTableName = keyof typeof CARRIED_TABLES;
/** Their names, in order. */
export const CARRIED_TABLE_NAMES = Object.keys(CARRIED_TABLES) as readonly CarriedTableName[];

/** The tables that a backup does not carry, and where a restored deployment has their rows from. */
export const MADE_ANEW = {
  secret_labels: "triggers make it of the secrets",
  usage: "triggers count",
  trust_makers: "triggers make it of the trusts",
  shared_env_names: "triggers make it of the secrets",
  epochs: "triggers make others",
  open_leases: "triggers make it of the events",
  store_writes: "of what was under way then: what the store has of it, a sync brings in",
  audit_by_secret: "the scheduled run makes it of the events",
  event_counts: "the scheduled run makes it of the events",
  webhook_marks: "how far each was told: a restored deployment tells of what comes after",
  webhook_deliveries: "of what the deployment that was had to tell",
  audit_marks: "how far scheduled work has come: it begins anew",
  audit_statements: "what the scheduled run has found here: it looks for itself",
  integrity_failures: "what the scheduled run has found here: it looks for itself",
  lost_values: "what the scheduled run has found here: it looks for itself",
  integrity_marks: "how far scheduled work has come: it begins anew",
  kv_removals: "what is to go from the KV that was: a restored deployment may have another",
  trust_refusals: "a tally for people: it begins anew",
  database_sizes: "of the database that was",
  database_damage: "of the database that was",
  scheduled_run: "of a run that is over",
  guard: "nothing is ever stored here",
  backups: "of the deployment that was backed up",
  changed_rows: "of the deployment that was backed up",
  restores: "of the deployment that is restored",
  sessions: "people log in anew",
  login_codes: "of the deployment that was backed up",
  device_requests: "of the deployment that was backed up",
} as const satisfies Readonly<Record<string, string>>;

/** One of the carried tables. */
export function carriedTable(table: CarriedTableName): CarriedTable {
  return CARRIED_TABLES[table];
}
