import { env } from "cloudflare:workers";
import { seal } from "../../src/worker/envelope/seal.ts";
import { keyring } from "../envelope/keyrings.ts";
import { sealByHand } from "./seal-by-hand.ts";

/**
 * Fills an organization by SQL: `noise` secrets, half of them in `repo:noise/big` and the others ten to a scope, and
 * beside them always the same twenty `ANSWER_…` in `team:answer`, with labels, expiry and rotation of their own.
 * All are sealed and have data keys of the keyring, and none has a value that opens.
 */
export async function seedOrg(org: string, noise: number): Promise<void> {
  const binding = { org, scope: "", name: "", version: 1, id: "", encoding: "utf8" } as const;
  const { wrappedKey } = await seal(keyring, binding, new Uint8Array(1));
  const numbers = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)";
  const insert = (scope: string, name: string, labels: string, expires: string, rotate: string) =>
    `${numbers} INSERT INTO secrets (id, org, scope, name, version, revision, labels, created_at, created_by, updated_at, updated_by, expires_at, rotate_after_days, rotated_at)
     SELECT 'sec_' || ?1 || '_' || ${name}, ?1, ${scope}, ${name}, 1, 1, ${labels}, 0, 's', 0, 's', ${expires}, ${rotate}, 0 FROM n`;
  const noisy = insert(
    "CASE i % 2 WHEN 0 THEN 'repo:noise/big' ELSE 'repo:noise/r' || (i / 20) END",
    "format('NOISE_%07d', i)",
    `'{"env":"noise"}'`,
    "CASE i % 3 WHEN 0 THEN 4102444800000 + i END",
    "CASE i % 3 WHEN 1 THEN 36500 END",
  );
  const answer = insert("'team:answer'", "format('ANSWER_%02d', i)", `'{"env":"answer"}'`, "CASE i % 4 WHEN 0 THEN 1 END", "CASE i % 4 WHEN 1 THEN 1 END");
  await env.DB.batch([
    env.DB.prepare(noisy).bind(org, noise),
    env.DB.prepare(answer).bind(org, 20),
    env.DB.prepare(
      `INSERT INTO versions (secret_id, version, encoding, key_id, wrapped_key, kv_key, kv_put_at, created_at, created_by)
       SELECT id, 1, 'utf8', 'k1', ?2, 'c_' || id, 1, 0, 's' FROM secrets WHERE org = ?1`,
    ).bind(org, wrappedKey),
    // One secret was written as often as there are others; ten of its values are kept.
    env.DB.prepare(
      `${numbers} INSERT INTO versions (secret_id, version, encoding, key_id, wrapped_key, kv_key, kv_put_at, created_at, created_by)
       SELECT 'sec_' || ?1 || '_ANSWER_00', i + 2, 'utf8', CASE WHEN i + 10 >= ?2 THEN 'k1' END, CASE WHEN i + 10 >= ?2 THEN ?3 END,
         CASE WHEN i + 10 >= ?2 THEN 'c_' || ?1 || i END, 1, 0, 's' FROM n`,
    ).bind(org, noise, wrappedKey),
    env.DB.prepare("UPDATE secrets SET version = ?2 + 1, expires_at = NULL WHERE id = 'sec_' || ?1 || '_ANSWER_00'").bind(org, noise),
    env.DB.prepare("INSERT INTO scopes (org, scope, parent) VALUES (?, 'namespace:under', 'team:answer')").bind(org),
  ]);
  await sealByHand("secrets", `s.org = '${org}'`);
  await sealByHand("scopes", `org = '${org}' AND parent IS NOT NULL`);
}
