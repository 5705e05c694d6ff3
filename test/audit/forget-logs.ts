import { env } from "cloudflare:workers";

const TABLES = ["events", "lists", "checkpoints", "heads", "marks", "statements", "generations", "by_secret", "archives", "archive_secrets"];
let triggers: readonly { name: string; sql: string }[] = [];

/** Takes away the logs of the tests before, with what is on record of them, and puts back the triggers that one of them has dropped. */
export async function forgetLogs(): Promise<void> {
  if (triggers.length === 0) {
    const known = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'audit%'";
    triggers = (await env.DB.prepare(known).all<{ name: string; sql: string }>()).results;
  }
  const statements = [
    ...triggers.map(({ name }) => `DROP TRIGGER IF EXISTS ${name}`),
    ...TABLES.map((table) => `DELETE FROM audit_${table}`),
    ...triggers.map(({ sql }) => sql),
  ];
  await env.DB.batch(statements.map((text) => env.DB.prepare(text)));
  for (const prefix of ["r/", "i/"]) await Promise.all((await env.KV.list({ prefix })).keys.map(({ name }) => env.KV.delete(name)));
}
