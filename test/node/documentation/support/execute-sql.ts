import type { Served } from "../../../../scripts/local/serve-worker.ts";

/** Runs SQL on the database of a Worker, all of it or nothing; what its last statement found is the output, as JSON. */
export async function executeSql(served: Served, text: string): Promise<string> {
  const db = await served.database();
  const statements = text.split(/;\s*$/m).filter((statement) => statement.trim() !== "");
  const results = await db.batch(statements.map((statement) => db.prepare(statement)));
  return JSON.stringify(results.at(-1)?.results ?? []);
}
