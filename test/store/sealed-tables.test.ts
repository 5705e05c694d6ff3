import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { SEALED_TABLE_NAMES, SEALED_TABLES } from "../../src/worker/store/sealed-tables.ts";

/** A column that D1 computes has `hidden` 2 or 3 (https://www.sqlite.org/pragma.html#pragma_table_xinfo). */
interface ColumnInfo {
  readonly name: string;
  readonly hidden: number;
}

/** Columns of a secret's seal that its current version has. */
const OF_VERSION = ["encoding", "kind"];

describe.each(SEALED_TABLE_NAMES)("every column of the table %s", (table) => {
  it("is sealed, or listed as not sealed with its reason", async () => {
    const { results } = await env.DB.prepare(`PRAGMA table_xinfo(${table})`).all<ColumnInfo>();
    const columns = results.filter(({ name, hidden }) => hidden === 0 && name !== "seal").map(({ name }) => name);
    const { deciding, unsealed } = SEALED_TABLES[table];
    const listed = [...Object.keys(deciding), ...Object.keys(unsealed)].filter((name) => table !== "secrets" || !OF_VERSION.includes(name));
    expect(listed.sort()).toEqual(columns.sort());
    expect(Object.values<string>(unsealed).every((reason) => reason.length > 5)).toBe(true);
  });

  it("that names a row is sealed", () => {
    const { deciding, key } = SEALED_TABLES[table];
    expect(Object.keys(deciding)).toEqual(expect.arrayContaining([...key]));
  });
});
