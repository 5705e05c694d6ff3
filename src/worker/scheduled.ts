import type { Env } from "./config.ts";
import { describeError } from "./http/log-request.ts";
import { forgetExpiredTokens } from "./secrets/forget-expired-tokens.ts";
import { noteLastResolved } from "./secrets/note-last-resolved.ts";
import { settleCiphertexts } from "./secrets/settle-ciphertexts.ts";

type Job = (needs: { db: D1Database; kv: KVNamespace; now: Date }) => Promise<unknown>;

/** What is done each minute. Every job does a bounded amount, goes on where it stopped, and may run twice at once. */
const JOBS: Readonly<Record<string, Job>> = {
  ciphertexts: settleCiphertexts,
  last_resolved: noteLastResolved,
  tokens_forgotten: forgetExpiredTokens,
};

/**
 * Runs every job, one after the other, and logs one line with what each did. A job that fails keeps none of the others
 * from running.
 *
 * @throws {AggregateError} when a job failed, so that the platform shows the run as failed.
 */
export async function runScheduled(env: Env, now: Date): Promise<void> {
  const failures: unknown[] = [];
  const done: Record<string, unknown> = {};
  for (const [name, job] of Object.entries(JOBS)) {
    try {
      done[name] = await job({ db: env.DB, kv: env.KV, now });
    } catch (error) {
      failures.push(error);
      done[name] = { failed: describeError(error) };
    }
  }
  console.log(JSON.stringify({ level: failures.length > 0 ? "error" : "info", event: "scheduled", ...done }));
  if (failures.length > 0) throw new AggregateError(failures, "scheduled jobs failed");
}
