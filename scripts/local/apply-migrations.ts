import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Database } from "./storage.ts";

/** Wrangler's own table, so that `wrangler d1 migrations apply --local` and `npm start` can take turns on the same data. */
const TABLE = `CREATE TABLE IF NOT EXISTS d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/** Applies, in order, the migrations of a folder that the database does not have yet, each in a transaction of its own. */
export async function applyMigrations(db: Database, folder: string): Promise<void> {
  await db.prepare(TABLE).run();
  const { results } = await db.prepare("SELECT name FROM d1_migrations").all<{ name: string }>();
  const applied = new Set(results.map(({ name }) => name));
  for (const name of readdirSync(folder).sort()) {
    if (applied.has(name) || !name.endsWith(".sql")) continue;
    const sql = readFileSync(join(folder, name), "utf8");
    // A batch is a transaction, also of one. The row goes after what the file may end with, a comment.
    await db.batch([db.prepare(`${sql}\nINSERT INTO d1_migrations (name) VALUES (?)`).bind(name)]);
  }
}
