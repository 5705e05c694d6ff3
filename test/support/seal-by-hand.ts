import { env } from "cloudflare:workers";
import { replaceSeals } from "../../src/worker/store/integrity-rows.ts";
import { runBatch } from "../../src/worker/store/run-batch.ts";
import type { SealedTableName } from "../../src/worker/store/sealed-tables.ts";
import type { SealingKeyring } from "../../src/worker/transaction/allow-sealing.ts";
import { brokenRow, sealFor } from "../../src/worker/transaction/verify-row.ts";
import { keyring } from "../envelope/keyrings.ts";

/** Rows of a table with the columns that its seal covers. */
const SELECT: Readonly<Record<SealedTableName, string>> = {
  secrets:
    "SELECT s.*, IIF(v.is_json, 'json', v.encoding) AS encoding, v.kind FROM secrets s LEFT JOIN versions v ON v.secret_id = s.id AND v.version = s.version",
  scopes: "SELECT * FROM scopes",
  scope_stores: "SELECT * FROM scope_stores",
  store_writes: "SELECT * FROM store_writes",
  trusts: "SELECT * FROM trusts",
  tokens: "SELECT * FROM tokens",
  services: "SELECT * FROM services",
  stores: "SELECT * FROM stores",
  webhooks: "SELECT * FROM webhooks",
  webhook_deliveries: "SELECT * FROM webhook_deliveries",
  revocations: "SELECT * FROM revocations",
  quotas: "SELECT * FROM quotas",
  audit_archives: "SELECT * FROM audit_archives",
};

/** Seals rows that a test has put into a table by SQL, as if Keyhole had written them. Of `secrets` the table is called `s` in `where`. */
export async function sealByHand(table: SealedTableName, where: string): Promise<void> {
  const { results } = await env.DB.prepare(`${SELECT[table]} WHERE ${where}`).all<Record<string, unknown> & { seal: string | null }>();
  const sealed = await Promise.all(
    results.map(async (row) => ({ key: brokenRow(table, row).key, was: row.seal, seal: await sealFor(keyring as SealingKeyring, table, row) })),
  );
  for (let at = 0; at < sealed.length; at += 2_000) await runBatch(env.DB, [replaceSeals(env.DB, table, sealed.slice(at, at + 2_000))]);
}
