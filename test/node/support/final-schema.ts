import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const MIGRATIONS = join(import.meta.dirname, "../../../migrations");

/** What stands in the order in which each may name those before it. */
const TYPES = ["table", "index", "view", "trigger"];

let known: readonly string[] | undefined;

/**
 * The statements that make an empty database as all migrations leave it: some 200, where the migrations make many tables,
 * views and triggers anew.
 *
 * @throws when the migrations leave rows, which statements for the schema would not make.
 */
export function finalSchema(): readonly string[] {
  known ??= readSchema();
  return known;
}

function readSchema(): readonly string[] {
  const db = new DatabaseSync(":memory:");
  for (const file of readdirSync(MIGRATIONS).sort()) db.exec(readFileSync(join(MIGRATIONS, file), "utf8"));
  const made = db.prepare("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid").all() as unknown as {
    type: string;
    name: string;
    sql: string;
  }[];
  for (const { type, name } of made)
    if (type === "table" && db.prepare(`SELECT 1 FROM ${name} LIMIT 1`).get() !== undefined) throw new Error(`the migrations leave rows in ${name}`);
  db.close();
  return TYPES.flatMap((type) => made.filter((one) => one.type === type).map(({ sql }) => sql));
}
