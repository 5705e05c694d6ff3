import { env } from "cloudflare:workers";
import { describe, expect, it, vi } from "vitest";
import { INITIAL_METADATA, METADATA_NAMES } from "../../src/contract/secret-metadata.ts";
import { SECRET_COLUMNS } from "../../src/worker/store/secret-columns.ts";
import { VERSION_COLUMNS } from "../../src/worker/store/version-columns.ts";
import { callWith } from "../support/call-with.ts";

interface ColumnInfo {
  readonly name: string;
  readonly dflt_value: string | null;
}

/** The columns of a table but for those that D1 computes. */
const columnsOf = async (table: string) => (await env.DB.prepare(`PRAGMA table_info(${table})`).all<ColumnInfo>()).results;
const namesOf = async (table: string) => (await columnsOf(table)).map(({ name }) => name).sort();

describe("the tables in the code and those that the migrations make", () => {
  it("have the same columns of a secret", async () => {
    expect([...SECRET_COLUMNS].sort()).toEqual(await namesOf("secrets"));
  });

  it("have the same columns of a version", async () => {
    expect([...VERSION_COLUMNS].sort()).toEqual(await namesOf("versions"));
  });

  it.each(METADATA_NAMES)("have the same default of %s, so that a row written by SQL is one without metadata", async (name) => {
    const found = (await columnsOf("secrets")).find((column) => column.name === name);
    expect(await env.DB.prepare(`SELECT ${found?.dflt_value ?? "NULL"} AS value`).first("value")).toBe(INITIAL_METADATA[name]);
  });
});

it("is not ready while the last migration is not applied", async () => {
  await env.DB.prepare("DROP TABLE quotas").run();
  const logged = vi.spyOn(console, "error").mockImplementation(() => {});
  const { status, body } = await callWith({})("GET /readyz");
  const said = logged.mock.calls.join("\n");
  logged.mockRestore();
  expect([status, body]).toEqual([503, { status: "not-ready", unusable: [{ part: "d1" }] }]);
  expect(said).toContain("the migrations have not been applied");
});
