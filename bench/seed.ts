import { type Extras, type Instance, migrate, startInstance } from "./instance.ts";
import { fire } from "./load.ts";
import type { Setup } from "./ratios.ts";

/** The names that are resolved: real secrets, set through the API. */
export const NAMES = Array.from({ length: 100 }, (_, n) => `BENCH_${String(n).padStart(3, "0")}`);

/** Sets the first `count` secrets that are resolved, and moves their ciphertexts to KV for good, as the scheduled run does after minutes. */
export async function seedNames({ url, db }: Instance, token: string, count = NAMES.length): Promise<void> {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const secrets = Object.fromEntries(NAMES.slice(0, count).map((name) => [name, `sk-${name}-0123456789abcdef0123456789abcdef`]));
  await fire(url, { method: "POST", path: "/v1/import", headers, body: JSON.stringify({ scope: "namespace:prod", secrets }), expect: 200 });
  for (let put = 0; put < count; ) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    put = (await db.prepare("SELECT COUNT(*) AS n FROM versions WHERE kv_put_at IS NOT NULL").first<number>("n")) ?? 0;
  }
  await db.prepare("UPDATE versions SET ciphertext = NULL").run();
}

/** Starts Keyhole with the first `count` secrets that are resolved. */
export async function startSeeded(
  { secrets, token, bundles }: Setup,
  bundle: "keyhole" | "counting",
  extras: Extras = {},
  count = NAMES.length,
): Promise<Instance> {
  const instance = await startInstance(bundles[bundle], secrets, extras);
  await migrate(instance.db);
  await seedNames(instance, token, count);
  return instance;
}

/** Fills the organization with other secrets, up to `size` in all; their values are never read. */
export async function fill({ db }: Instance, size: number): Promise<void> {
  const before = (await db.prepare("SELECT COUNT(*) AS n FROM secrets").first<number>("n")) ?? 0;
  for (let from = before; from < size; from += 20_000) {
    const to = Math.min(size, from + 20_000);
    const numbers = `WITH RECURSIVE n (i) AS (SELECT ${from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${to})`;
    await db.batch([
      db.prepare(
        `${numbers} INSERT INTO secrets (id, org, scope, name, version, revision, created_at, created_by, updated_at, updated_by, rotated_at)
         SELECT 'sec_fill_' || i, 'acme', 'repo:acme/r' || (i % 997), 'FILL_' || i, 1, 1, 0, 'fill', 0, 'fill', 0 FROM n`,
      ),
      db.prepare(
        `${numbers} INSERT INTO versions (secret_id, version, encoding, key_id, wrapped_key, kv_key, created_at, created_by)
         SELECT 'sec_fill_' || i, 1, 'utf8', 'k1', 'fill', 'c_fill_' || i, 0, 'fill' FROM n`,
      ),
    ]);
  }
}

/** Gives the floor Worker the same secrets: their wrapped keys, and their ciphertexts in KV. */
export async function seedFloor(keyhole: Instance, floor: Instance): Promise<void> {
  await floor.db.batch([
    floor.db.prepare("CREATE TABLE floor_secrets (org TEXT, id TEXT, name TEXT, wrapped_key TEXT, kv_key TEXT, PRIMARY KEY (org, name)) STRICT, WITHOUT ROWID"),
    floor.db.prepare("CREATE TABLE floor_events (seq INTEGER PRIMARY KEY, at INTEGER, actor TEXT, secrets TEXT) STRICT"),
  ]);
  const rows = await keyhole.db
    .prepare("SELECT s.id, s.name, v.wrapped_key, v.kv_key FROM secrets s JOIN versions v ON v.secret_id = s.id WHERE s.name LIKE 'BENCH_%'")
    .all<{ id: string; name: string; wrapped_key: string; kv_key: string }>();
  for (const { id, name, wrapped_key, kv_key } of rows.results) {
    await floor.kv.put(kv_key, (await keyhole.kv.get(kv_key)) ?? "");
    await floor.db.prepare("INSERT INTO floor_secrets VALUES ('acme', ?, ?, ?, ?)").bind(id, name, wrapped_key, kv_key).run();
  }
}
