import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { finalSchema } from "./final-schema.ts";

interface Bound {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

interface Prepared extends Bound {
  bind(...values: SQLInputValue[]): Prepared;
  run(): Promise<Result>;
  all(): Promise<Result>;
  first(column?: string): Promise<unknown>;
}

interface Result {
  readonly success: true;
  readonly results: readonly Record<string, unknown>[];
  readonly meta: { readonly changes: number };
}

/** As much of D1 as the Worker and its tests use, migrated, on the SQLite of Node: in memory, and without a way to go for each call. */
export function openSqliteD1(): object {
  const db = new DatabaseSync(":memory:");
  for (const statement of finalSchema()) db.exec(statement);
  const statements = new Map<string, StatementSync>();

  function run({ sql, values }: Bound): Result {
    const statement = statements.get(sql) ?? db.prepare(sql);
    statements.set(sql, statement);
    // Node binds by position only what has no number.
    const numbered = Object.fromEntries(values.map((value, n) => [`?${n + 1}`, value]));
    const results = /\?\d/.test(sql) ? statement.all(numbered) : statement.all(...values);
    return { success: true, results, meta: { changes: 0 } };
  }

  function prepare(sql: string, values: readonly SQLInputValue[] = []): Prepared {
    const all = async () => (await batch([{ sql, values }]))[0] as Result;
    return { sql, values, bind: (...given) => prepare(sql, given), run: all, all, first: async (column) => firstOf(await all(), column) };
  }

  async function batch(list: readonly Bound[]): Promise<Result[]> {
    db.exec("BEGIN");
    try {
      const results = list.map(run);
      db.exec("COMMIT");
      return results;
    } catch (error) {
      db.exec("ROLLBACK");
      throw new Error(`D1_ERROR: ${(error as Error).message}`, { cause: error });
    }
  }

  return { prepare, batch };
}

function firstOf({ results: [row] }: Result, column: string | undefined): unknown {
  if (row === undefined) return null;
  return column === undefined ? row : row[column];
}
