import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { readConfig } from "../wrangler-config.ts";

/** A D1 database, reached from outside the runtime. */
export type Database = Awaited<ReturnType<Miniflare["getD1Database"]>>;

/** The databases and namespaces of wrangler.toml, kept in a folder that is laid out as that of `wrangler dev --persist-to`. */
export function storageOptions(persistTo: string) {
  const { d1_databases, kv_namespaces } = readConfig();
  return {
    resourcePersistencePath: join(persistTo, "v3"),
    d1Databases: Object.fromEntries(d1_databases.map(({ binding, database_id }) => [binding, database_id])),
    kvNamespaces: Object.fromEntries(kv_namespaces.map(({ binding, id }) => [binding, id])),
    // No look-up of where this machine is.
    cf: false,
  };
}

/** Calls `use` with the D1 database that is kept in a folder, in a runtime of its own that ends with it. */
export async function withDatabase<T>(persistTo: string, use: (db: Database) => Promise<T>): Promise<T> {
  const miniflare = new Miniflare(convertV4MiniflareOptions({ ...storageOptions(persistTo), modules: true, script: "export default {}" }));
  try {
    return await use(await miniflare.getD1Database("DB"));
  } finally {
    await miniflare.dispose();
  }
}
