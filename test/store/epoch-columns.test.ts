import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { decidingColumns } from "../../src/worker/store/sealed-tables.ts";

/** What of a version is in the seal of its secret: it only changes with the version's number. */
const OF_THE_VERSION = ["encoding", "kind"];

describe.each(["secrets", "scopes", "services", "stores"] as const)("a change of %s", (table) => {
  it("begins another epoch for each column that decides, and for no other", async () => {
    const { results } = await env.DB.prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? AND name LIKE '%_change_epoch'")
      .bind(table)
      .all<{ sql: string }>();
    const deciding = decidingColumns(table).filter((column) => !OF_THE_VERSION.includes(column));
    const named = results.flatMap(({ sql }) => /UPDATE OF ([\w, ]+) ON/.exec(sql)?.[1]?.split(", ") ?? []);
    expect(named.sort()).toEqual([...deciding].sort());
    const compared = [
      ...results
        .map(({ sql }) => sql)
        .join()
        .matchAll(/OLD\.(\w+) IS NOT NEW\.(\w+)/g),
    ].map(([, before, after]) => [before, after]);
    expect(compared.sort()).toEqual(deciding.map((column) => [column, column]).sort());
  });

  it.each(["begin", "end"])("begins another epoch when a row comes or goes: %s", async (what) => {
    const found = await env.DB.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND name = ?").bind(`${table}_${what}_epoch`).first();
    expect(found).not.toBeNull();
  });
});
