import { env } from "cloudflare:workers";
import type { BackupPage } from "../../src/contract/backup.ts";
import { requireLatest } from "../../src/worker/transaction/last-revocation.ts";
import type { CallOptions, Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";

export const OPERATOR = { token: { org: "platform", sub: "ops" } };

/** What a Worker is given that has another database and another KV. */
export const OTHER = { DB: env.OTHER_DB, KV: env.OTHER_KV };

type Ask = (request: string, options?: CallOptions) => Promise<Reply>;

/** What a database has, and a way to set it back to that, as D1's time travel does. */
export async function timeTravel(): Promise<() => Promise<void>> {
  const db = env.OTHER_DB;
  const { results: schema } = await db
    .prepare("SELECT type, name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%'")
    .all<Record<"type" | "name" | "sql", string>>();
  const of = (type: string) => schema.filter((one) => one.type === type);
  const rows = new Map<string, Record<string, unknown>[]>();
  for (const { name } of of("table")) {
    const columns = (await db.prepare(`SELECT name FROM pragma_table_info('${name}')`).all<{ name: string }>()).results.map((column) => column.name);
    rows.set(name, (await db.prepare(`SELECT ${columns.join(", ")} FROM ${name}`).all()).results);
  }
  return async () => {
    const statements = [
      "PRAGMA defer_foreign_keys = on",
      ...of("trigger").map(({ name }) => `DROP TRIGGER ${name}`),
      ...of("table").map(({ name }) => `DELETE FROM ${name}`),
    ].map((sql) => db.prepare(sql));
    const inserts = [...rows].flatMap(([name, some]) =>
      some.map((row) =>
        db
          .prepare(
            `INSERT INTO ${name} (${Object.keys(row).join(", ")}) VALUES (${Object.keys(row)
              .map(() => "?")
              .join(", ")})`,
          )
          .bind(...Object.values(row)),
      ),
    );
    await db.batch([...statements, ...inserts, ...of("trigger").map(({ sql }) => db.prepare(sql))]);
    forgetLatest();
  };
}

/** A deployment with nothing in it but its tables, and this isolate one that knows of no revocation. */
export async function emptyDeployment(): Promise<Ask> {
  const { results } = await env.OTHER_DB.prepare(
    "SELECT type, name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%' AND type IN ('trigger', 'view', 'table')",
  ).all<{
    type: string;
    name: string;
  }>();
  const kinds = ["trigger", "view", "table"];
  const drops = results.toSorted((a, b) => kinds.indexOf(a.type) - kinds.indexOf(b.type)).map(({ type, name }) => `DROP ${type} ${name}`);
  await env.OTHER_DB.batch(["PRAGMA defer_foreign_keys = on", ...drops].map((sql) => env.OTHER_DB.prepare(sql)));
  await env.OTHER_DB.batch(env.TEST_SCHEMA.map((statement) => env.OTHER_DB.prepare(statement)));
  for (const { name } of (await env.OTHER_KV.list()).keys) await env.OTHER_KV.delete(name);
  forgetLatest();
  return callWith(OTHER);
}

/** Makes this isolate one that has seen no revocation: it remembers so many organizations and no more. */
export function forgetLatest(): void {
  for (let n = 0; n <= 10_000; n++) requireLatest(`org-${n}`, 1);
}

/** Takes a backup to its end. `between` runs after each page, with its number. */
export async function backUp(ask: Ask, between: (number: number) => Promise<unknown> = async () => undefined): Promise<BackupPage[]> {
  const pages: BackupPage[] = [];
  for (let json = {}; ; ) {
    const { status, body, text } = await ask("POST /v1/backup", { ...OPERATOR, json });
    if (status !== 200) throw new Error(text);
    pages.push(body.page);
    if (body.last) break;
    await between(body.number);
    json = { after: body.page.jws };
  }
  await ask("POST /v1/backup", { ...OPERATOR, json: { after: pages.at(-1)?.jws } });
  return pages;
}

/** Restores pages, and returns what was refused of them. */
export async function putBack(ask: Ask, pages: readonly BackupPage[]): Promise<unknown[]> {
  const refused: unknown[] = [];
  for (const json of pages) {
    const { status, body, text } = await ask("POST /v1/backup/restore", { ...OPERATOR, json });
    if (status !== 200) throw new Error(text);
    refused.push(...body.refused);
  }
  return refused;
}

/** Finishes a restore. */
export async function finish(ask: Ask, json: object = {}): Promise<Reply> {
  for (;;) {
    const reply = await ask("POST /v1/backup/finish", { ...OPERATOR, json });
    if (reply.status !== 200 || reply.body.done) return reply;
  }
}
