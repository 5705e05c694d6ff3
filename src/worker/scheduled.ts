import { type Config, type Env, loadConfig } from "./config.ts";
import { describeError } from "./describe-error.ts";
import { forgetExpiredTokens } from "./grants/forget-expired-tokens.ts";
import { readBacklog } from "./health/read-backlog.ts";
import { checkRows } from "./keys/check-rows.ts";
import { rewrapBatch } from "./keys/rewrap-keys.ts";
import { digestLog } from "./log/digest-log.ts";
import { removeOldEvents } from "./log/remove-old-events.ts";
import { renewHeads } from "./log/renew-heads.ts";
import { sealLog } from "./log/seal-log.ts";
import { encryptLegacy } from "./secrets/encrypt-legacy.ts";
import { settleCiphertexts } from "./secrets/settle-ciphertexts.ts";

type JobNeeds = Config & { readonly db: D1Database; readonly kv: KVNamespace; readonly now: Date };

/** What is done each minute. Every job does a bounded amount, goes on where it stopped, and may run twice at once. */
const JOBS: Readonly<Record<string, (needs: JobNeeds) => Promise<unknown>>> = {
  ciphertexts: settleCiphertexts,
  rows: checkRows,
  rewrapped: (needs) => rewrapBatch(needs),
  encrypted: (needs) => (needs.legacyPlaintext && !needs.keyring.sealsRequired ? encryptLegacy(needs) : Promise.resolve(0)),
  heads: renewHeads,
  sealed: sealLog,
  digested: digestLog,
  events_removed: removeOldEvents,
  tokens_forgotten: forgetExpiredTokens,
  backlog: readBacklog,
};

/**
 * Runs every job, one after the other, and logs one line with what each did. A job that fails keeps none of the others
 * from running.
 *
 * @throws {ConfigError} when the Worker is not configured.
 * @throws {AggregateError} when a job failed, so that the platform shows the run as failed.
 */
export async function runScheduled(env: Env, now: Date): Promise<void> {
  const needs: JobNeeds = { ...(await loadConfig(env)), db: env.DB, kv: env.KV, now };
  const failures: unknown[] = [];
  const done: Record<string, unknown> = {};
  for (const [name, job] of Object.entries(JOBS)) {
    try {
      done[name] = await job(needs);
    } catch (error) {
      failures.push(error);
      done[name] = { failed: describeError(error) };
    }
  }
  const { secret: log_signed_with } = needs.logKeys;
  console.log(JSON.stringify({ level: failures.length > 0 ? "error" : "info", event: "scheduled", ...done, log_signed_with }));
  if (failures.length > 0) throw new AggregateError(failures, "scheduled jobs failed");
}
