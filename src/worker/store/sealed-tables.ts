/** A column that a seal covers: the first format that does, and what a row has that was sealed before. */
interface Deciding {
  readonly since: number;
  readonly default: string | number | null;
}

/** A table whose rows carry a seal in the column `seal`. */
interface SealedTable {
  /** The number of the present format: it grows when a column is added below. */
  readonly format: number;
  /** The columns that name a row. They are deciding columns, too. */
  readonly key: readonly string[];
  /** What the Worker goes by. Nobody else may change it. */
  readonly deciding: Readonly<Record<string, Deciding>>;
  /** What is not sealed, and why it need not be. */
  readonly unsealed: Readonly<Record<string, string>>;
}

const first: Deciding = { since: 1, default: null };
const SHOWN = "shown, and decides nothing";

/**
 * The rows that are sealed: one table of what decides, from which the seals' input, the statements that select it and the
 * tests follow. A column of the database that is in neither list fails a test.
 */
export const SEALED_TABLES = {
  secrets: {
    format: 5,
    key: ["id"],
    // `encoding` and `kind` are those of the current version.
    deciding: {
      org: first,
      id: first,
      scope: first,
      name: first,
      version: first,
      encoding: first,
      kind: first,
      expires_at: first,
      locked: { since: 2, default: 0 },
      max_lease_seconds: { since: 2, default: null },
      deleted_at: { since: 3, default: null },
      deleted_until: { since: 3, default: null },
      variable: { since: 4, default: 1 },
      hosts: { since: 5, default: "[]" },
      hosts_brought: { since: 5, default: 0 },
    },
    unsealed: {
      revision: "counts changes for whoever writes with a condition, and gives nobody a value",
      description: SHOWN,
      labels: SHOWN,
      rotate_after_days: SHOWN,
      rotated_at: SHOWN,
      created_at: SHOWN,
      created_by: SHOWN,
      updated_at: SHOWN,
      updated_by: SHOWN,
      deleted_revision: "which deletion an undelete of an object means: only what can come back does",
      last_resolved_at: "derived from the audit log by the scheduled run, and shown",
    },
  },
  scopes: {
    format: 1,
    key: ["org", "scope"],
    deciding: { org: first, scope: first, parent: first },
    unsealed: { secrets: "a count, kept by triggers" },
  },
  scope_stores: {
    format: 1,
    key: ["org", "scope"],
    deciding: { org: first, scope: first, store: first, prefix: first, updated_at: first, updated_by: first },
    unsealed: {},
  },
  store_writes: {
    format: 1,
    key: ["org", "scope", "name"],
    deciding: { org: first, scope: first, name: first, operation: first, store: first, plan: first, at: first },
    unsealed: { retry_at: "when scheduled work comes to it again", asked_at: "since when it does, which says when it is given up" },
  },
  trusts: {
    format: 4,
    key: ["org", "name"],
    deciding: {
      org: first,
      name: first,
      revision: first,
      issuer: first,
      audience: first,
      claims: first,
      permissions: first,
      secret_scopes: first,
      secret_names: first,
      expires_in: first,
      created_at: first,
      created_by: first,
      updated_at: first,
      updated_by: first,
      lease_seconds: { since: 2, default: 0 },
      maker: { since: 2, default: null },
      reuse: { since: 2, default: "until-expiry" },
      jwks_url: { since: 2, default: null },
      jwks: { since: 2, default: null },
      services: { since: 3, default: null },
      login: { since: 4, default: null },
    },
    unsealed: {},
  },
  tokens: {
    format: 3,
    key: ["id"],
    deciding: {
      org: first,
      id: first,
      parent_id: first,
      label: first,
      permissions: first,
      secret_scopes: first,
      secret_names: first,
      created_at: first,
      created_by: first,
      expires_at: first,
      revoked_at: first,
      says_ancestors: first,
      lease_seconds: { since: 2, default: 0 },
      maker_issued_at: { since: 2, default: null },
      services: { since: 3, default: null },
    },
    unsealed: {},
  },
  revocations: {
    format: 1,
    key: ["org", "n"],
    deciding: { org: first, n: first, kind: first, value: first, at: first },
    unsealed: {},
  },
  services: {
    format: 1,
    key: ["org", "name"],
    deciding: {
      org: first,
      name: first,
      revision: first,
      preset: first,
      definition: first,
      created_at: first,
      created_by: first,
      updated_at: first,
      updated_by: first,
    },
    unsealed: {},
  },
  stores: {
    format: 1,
    key: ["org", "name"],
    deciding: {
      org: first,
      name: first,
      revision: first,
      definition: first,
      created_at: first,
      created_by: first,
      updated_at: first,
      updated_by: first,
    },
    unsealed: {},
  },
  webhooks: {
    format: 1,
    key: ["org", "name"],
    deciding: {
      org: first,
      name: first,
      revision: first,
      definition: first,
      maker: first,
      signing_id: first,
      created_at: first,
      created_by: first,
      updated_at: first,
      updated_by: first,
    },
    unsealed: { signing: "another text does not open for this signing_id; under another key it is encrypted anew" },
  },
  webhook_deliveries: {
    format: 1,
    key: ["id"],
    deciding: { org: first, id: first, webhook: first, event: first, payload: first, created_at: first },
    unsealed: {
      attempts: "how often it was tried: it is sent once more, or not at all",
      next_at: "when scheduled work comes to it again",
      done_at: "when scheduled work had done with it, and shown",
      outcome: SHOWN,
      status: SHOWN,
    },
  },
  quotas: {
    format: 1,
    key: ["org"],
    deciding: { org: first, limits: first, updated_at: first, updated_by: first },
    unsealed: {},
  },
  audit_archives: {
    format: 1,
    key: ["org", "first_number"],
    deciding: {
      org: first,
      first_number: first,
      last_number: first,
      first_seq: first,
      last_seq: first,
      first_at: first,
      last_at: first,
      others: first,
      kv_key: first,
      created_at: first,
    },
    unsealed: {
      key_id: "another key does not unwrap the data key",
      wrapped_key: "another data key does not open the object",
      kv_put_at: "when scheduled work came to it: what is in KV is compared before anything goes",
      archived_at: "when scheduled work came to it: what is neither here nor there is missing from the chain",
      retry_at: "when scheduled work comes to it again",
    },
  },
} as const satisfies Readonly<Record<string, SealedTable>>;

/** A table whose rows carry a seal. */
export type SealedTableName = keyof typeof SEALED_TABLES;
/** Their names. */
export const SEALED_TABLE_NAMES = Object.keys(SEALED_TABLES) as readonly SealedTableName[];

/** The columns that decide, of one table. */
export function decidingColumns(table: SealedTableName): readonly string[] {
  return Object.keys(SEALED_TABLES[table].deciding);
}
