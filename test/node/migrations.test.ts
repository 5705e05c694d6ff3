import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { beforeEach, describe, expect, it } from "vitest";
import { COUNT_MIGRATED, MIGRATED } from "../../src/worker/health/migrated.ts";
import { finalSchema } from "./support/final-schema.ts";

const ROOT = join(import.meta.dirname, "../..");
const MIGRATIONS = readdirSync(join(ROOT, "migrations")).sort();
const GUIDE = readFileSync(join(ROOT, "docs/adopting-plaintext.md"), "utf8");
/** The SQL with which the guide creates the old table and loads its rows. */
const [CREATE = "", LOAD = ""] = [...GUIDE.matchAll(/```sql\n([\s\S]*?)```/g)].map(([, text]) => text ?? "");

let db: DatabaseSync;
beforeEach(() => {
  db = new DatabaseSync(":memory:");
});

/** Applies the migrations whose names are in a range, both ends included. */
function migrate(from: string, to: string): void {
  for (const name of MIGRATIONS.filter((file) => file.slice(0, 4) >= from && file.slice(0, 4) <= to))
    db.exec(readFileSync(join(ROOT, "migrations", name), "utf8"));
}

it("tells by something of each migration that adds a table or a column whether it was applied", () => {
  const count = () => Number(db.prepare(COUNT_MIGRATED).get(JSON.stringify(MIGRATED))?.n);
  const untold: string[] = [];
  for (const name of MIGRATIONS) {
    const before = count();
    migrate(name.slice(0, 4), name.slice(0, 4));
    if (/CREATE TABLE|ADD COLUMN/.test(readFileSync(join(ROOT, "migrations", name), "utf8")) && count() === before) untold.push(name);
  }
  expect([untold, count()]).toEqual([[], MIGRATED.length]);
});

it("makes the database that tests begin with", () => {
  const schemaOf = (made: DatabaseSync) => made.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name").all();
  migrate("0000", "9999");
  const begun = new DatabaseSync(":memory:");
  for (const statement of finalSchema()) begun.exec(statement);
  expect(schemaOf(begun)).toEqual(schemaOf(db));
});

function insertSecret(id: string, version: number): void {
  db.exec(`INSERT INTO secrets (id, org, scope, name, version, revision, created_at, created_by, updated_at, updated_by, rotated_at)
    VALUES ('${id}', 'acme', 'global', '${id.toUpperCase()}', ${version}, 1, 0, 'ada', 0, 'ada', 0)`);
}

/** What a Worker of before `kind` sends to write a version. */
function insertVersion(id: string, version: number): void {
  const row = {
    secret_id: id,
    version,
    encoding: "utf8",
    key_id: "k1",
    wrapped_key: "w",
    ciphertext: "v1:c",
    kv_key: `c_${id}${version}`,
    created_at: 0,
    created_by: "ada",
  };
  const columns = Object.keys(row);
  db.prepare(`INSERT INTO versions (${columns.join(", ")}) SELECT ${columns.map((column) => `j.value ->> '${column}'`).join(", ")} FROM json_each(?) j`).run(
    JSON.stringify([row]),
  );
}

/** What it sends to destroy one. */
function destroyVersion(id: string, version: number): void {
  db.exec(`INSERT OR IGNORE INTO kv_removals (kv_key, noted_at) SELECT kv_key, 0 FROM versions WHERE secret_id = '${id}' AND version = ${version} AND kv_key IS NOT NULL;
    UPDATE versions SET key_id = NULL, wrapped_key = NULL, ciphertext = NULL, kv_key = NULL, kv_put_at = NULL, legacy_plaintext = NULL, retry_at = NULL
    WHERE secret_id = '${id}' AND version = ${version}`);
}

/** What it sends to encrypt one that is plaintext. */
function encryptVersion(id: string, version: number): void {
  db.exec(`UPDATE versions SET key_id = 'k1', wrapped_key = 'w', ciphertext = 'v1:c', kv_key = 'c_${id}${version}', legacy_plaintext = NULL, retry_at = NULL
    WHERE secret_id = '${id}' AND version = ${version}`);
}

function loadPlaintext(name: string): void {
  db.exec(`${CREATE}; INSERT INTO old_secrets (org, scope, name, value) VALUES ('acme', 'global', '${name}', 'plain')`);
  db.exec(LOAD);
}

const kinds = () =>
  db
    .prepare("SELECT s.name, v.version, v.kind FROM versions v JOIN secrets s ON s.id = v.secret_id ORDER BY 1, 2")
    .all()
    .map(({ name, version, kind }) => `${name} ${version} ${kind}`);

/** Rows of every kind. */
function insertRows(): void {
  insertSecret("inline", 2);
  insertVersion("inline", 1);
  insertVersion("inline", 2);
  destroyVersion("inline", 1);
  insertSecret("in_kv", 1);
  insertVersion("in_kv", 1);
  db.exec("UPDATE versions SET ciphertext = NULL, kv_put_at = 1 WHERE secret_id = 'in_kv'");
  loadPlaintext("LOADED");
  loadPlaintext("GONE");
  destroyVersion(idOf("GONE"), 1);
}

const idOf = (name: string) => String(db.prepare("SELECT id FROM secrets WHERE name = ?").get(name)?.id);
const KINDS = ["GONE 1 destroyed", "INLINE 1 destroyed", "INLINE 2 sealed", "IN_KV 1 sealed", "LOADED 1 plaintext"];

describe("the migration 0007", () => {
  it("gives every version of before its kind, and changes nothing else of it", () => {
    migrate("0001", "0006");
    insertRows();
    const before = db.prepare("SELECT * FROM versions ORDER BY secret_id, version").all();
    migrate("0007", "0007");
    expect(kinds()).toEqual(KINDS);
    const after = db.prepare("SELECT * FROM versions ORDER BY secret_id, version").all();
    expect(after.map(({ kind, ...columns }) => columns)).toEqual(before.map((row) => ({ ...row })));
  });

  it("lets a Worker of before it, and the SQL of the guide, go on as they did", () => {
    migrate("0001", "0007");
    insertRows();
    expect(kinds()).toEqual(KINDS);
    encryptVersion(idOf("LOADED"), 1);
    destroyVersion("in_kv", 1);
    expect(kinds().slice(3)).toEqual(["IN_KV 1 destroyed", "LOADED 1 sealed"]);
  });

  it.each([
    ["be said otherwise", "UPDATE versions SET kind = 'sealed'", /generated column/],
    [
      "be written otherwise",
      "INSERT INTO versions (secret_id, version, encoding, created_at, created_by, kind) VALUES ('inline', 9, 'utf8', 0, 'x', 'sealed')",
      /generated column/,
    ],
    ["be plaintext beside a sealed value", "UPDATE versions SET legacy_plaintext = 'p' WHERE kind = 'sealed'", /CHECK constraint failed/],
    ["be plaintext with a ciphertext", "UPDATE versions SET ciphertext = 'v1:c' WHERE kind = 'plaintext'", /CHECK constraint failed/],
    ["be destroyed with a ciphertext", "UPDATE versions SET ciphertext = 'v1:c' WHERE kind = 'destroyed'", /CHECK constraint failed/],
  ])("lets no kind %s", (_, sql, refusal) => {
    migrate("0001", "0007");
    insertRows();
    expect(() => db.exec(sql)).toThrow(refusal);
    expect(kinds()).toEqual(KINDS);
  });
});

describe("the migration 0014", () => {
  it("says how many bytes the values have whose ciphertext is in D1, and lets a Worker of before it go on", () => {
    migrate("0001", "0013");
    insertRows();
    const head = `v2:${"i".repeat(16)}:${"t".repeat(22)}:`;
    const lengths = [1, 2, 3, 65_536];
    for (const [n, bytes] of lengths.entries()) {
      insertSecret(`sized_${n}`, 1);
      insertVersion(`sized_${n}`, 1);
      const ciphertext = head + Buffer.alloc(bytes).toString("base64url");
      db.prepare("UPDATE versions SET ciphertext = ? WHERE secret_id = ?").run(ciphertext, `sized_${n}`);
    }
    migrate("0014", "0014");
    const sizes = db.prepare("SELECT size FROM versions WHERE secret_id LIKE 'sized%' ORDER BY secret_id").all();
    expect(sizes.map(({ size }) => size)).toEqual(lengths);
    expect(db.prepare("SELECT COUNT(*) AS n FROM versions WHERE size IS NOT NULL AND ciphertext IS NULL").get()?.n).toBe(0);
    insertVersion("sized_0", 2);
    expect(db.prepare("SELECT size FROM versions WHERE secret_id = 'sized_0' AND version = 2").get()?.size).toBeNull();
  });
});

describe("the migration 0025", () => {
  const scopes = () =>
    db
      .prepare("SELECT scope, secrets FROM scopes ORDER BY scope")
      .all()
      .map(({ scope, secrets }) => `${scope} ${secrets}`);
  const labels = () => Number(db.prepare("SELECT COUNT(*) AS n FROM secret_labels").get()?.n);

  it("leaves what there is as it was, and counts and labels of a scope what is there", () => {
    migrate("0001", "0024");
    insertRows();
    db.exec(`UPDATE secrets SET labels = '{"a":"1"}' WHERE id = 'inline'`);
    const before = db.prepare("SELECT * FROM secrets ORDER BY id").all();
    migrate("0025", "0025");
    const after = db.prepare("SELECT * FROM secrets ORDER BY id").all();
    expect(after.map((row) => ({ ...row }))).toEqual(before.map((row) => ({ ...row, deleted_at: null, deleted_until: null })));
    expect([scopes(), labels()]).toEqual([["global 4"], 1]);
    db.exec("UPDATE secrets SET deleted_at = 1, deleted_until = 2");
    expect([scopes(), labels()]).toEqual([[], 0]);
    db.exec("UPDATE secrets SET deleted_at = NULL, deleted_until = NULL WHERE id = 'inline'");
    expect([scopes(), labels()]).toEqual([["global 1"], 1]);
    for (const id of ["inline", "in_kv"]) destroyVersion(id, id === "inline" ? 2 : 1);
    db.exec("INSERT OR IGNORE INTO kv_removals (kv_key, noted_at) SELECT kv_key, 0 FROM versions WHERE kv_key IS NOT NULL; DELETE FROM secrets");
    expect([scopes(), labels()]).toEqual([[], 0]);
  });

  it("lets a Worker of before it read its lists and its inventory through the indexes that it names", () => {
    migrate("0001", "0025");
    for (const [index, condition] of [
      ["secrets_by_name", "true"],
      ["secrets_by_kind", "kind = 'global'"],
      ["secrets_by_expiry", "org = 'acme' AND expires_at <= 1"],
      ["secrets_by_rotation", "org = 'acme' AND rotation_due_at <= 1"],
    ])
      expect(db.prepare(`SELECT id FROM secrets INDEXED BY ${index} WHERE org = 'acme' AND ${condition} ORDER BY name, scope`).all()).toEqual([]);
  });
});

it("the migration 0034 takes away the indexes of a Worker of before, and nothing else", () => {
  migrate("0001", "0033");
  insertRows();
  const schema = () => db.prepare("SELECT name FROM sqlite_schema ORDER BY name").all();
  const rows = () => db.prepare("SELECT * FROM secrets ORDER BY id").all();
  const before = { schema: schema().map(({ name }) => String(name)), rows: rows() };
  migrate("0034", "0034");
  const after = schema().map(({ name }) => name);
  const gone = ["secrets_by_expiry", "secrets_by_kind", "secrets_by_name", "secrets_by_rotation"];
  expect(before.schema.filter((name) => !after.includes(name))).toEqual(gone);
  expect(rows()).toEqual(before.rows);
});

it("the migration 0035 forgets the environment names that only variables do not share, and no other", () => {
  migrate("0001", "0034");
  const insert = (scope: string, name: string, variable: 0 | 1) =>
    db
      .prepare(
        `INSERT INTO secrets (id, org, scope, name, variable, version, revision, created_at, created_by, updated_at, updated_by, rotated_at)
         VALUES ('sec_' || ?1 || ?2, 'acme', ?1, ?2, ?3, 1, 1, 0, 's', 0, 's', 0)`,
      )
      .run(scope, name, variable);
  const shared = () =>
    db
      .prepare("SELECT scope, env_name FROM shared_env_names ORDER BY 1, 2")
      .all()
      .map((row) => ({ ...row }));
  for (const variable of [0, 1] as const) {
    insert(`repo:${variable}`, "1-a", variable);
    insert(`repo:${variable}`, "1_A", 1);
  }
  expect(shared()).toHaveLength(2);
  migrate("0035", "0035");
  expect(shared()).toEqual([{ scope: "repo:1", env_name: "1_A" }]);
  insert("repo:0", "1.a", 0);
  expect(shared()).toHaveLength(1);
  insert("repo:0", "1.A", 1);
  expect(shared()).toHaveLength(2);
});

describe("the migration 0031", () => {
  const revisions = () =>
    db
      .prepare("SELECT scope, revision, created_at, revised_at FROM scope_revisions ORDER BY scope")
      .all()
      .map((row) => ({ ...row }));

  it("makes what there is revision 1 of its scope, and changes nothing else of it", () => {
    migrate("0001", "0030");
    insertRows();
    db.exec("UPDATE secrets SET created_at = IIF(id = 'inline', 3, 5), updated_at = IIF(id = 'inline', 7, 6)");
    const [secrets, versions] = [db.prepare("SELECT * FROM secrets ORDER BY id").all(), db.prepare("SELECT * FROM versions ORDER BY 1, 2").all()];
    migrate("0031", "0031");
    expect(db.prepare("SELECT * FROM secrets ORDER BY id").all()).toEqual(secrets.map((row) => ({ ...row, deleted_revision: null, variable: 1 })));
    expect(db.prepare("SELECT * FROM versions ORDER BY 1, 2").all()).toEqual(versions.map((row) => ({ ...row, scope_revision: 0, is_json: 0 })));
    expect(revisions()).toEqual([{ scope: "global", revision: 1, created_at: 3, revised_at: 7 }]);
  });

  it("lets a Worker of before it go on: what it makes is revision 1, too", () => {
    migrate("0001", "0031");
    expect(revisions()).toEqual([]);
    insertSecret("later", 1);
    insertVersion("later", 1);
    insertSecret("last", 1);
    expect(revisions()).toEqual([{ scope: "global", revision: 1, created_at: 0, revised_at: 0 }]);
    expect(db.prepare("SELECT scope_revision, is_json FROM versions").all()).toEqual([{ scope_revision: 0, is_json: 0 }]);
  });
});
