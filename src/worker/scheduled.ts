import { type Env, loadConfig } from "./config.ts";
import { describeError } from "./describe-error.ts";
import { checkKeysOnce } from "./keys/check-keys.ts";
import { judgeLogs } from "./log/judge-logs.ts";
import { readRegistry } from "./log/read-registry.ts";
import { recordRun } from "./log/record-run.ts";
import { JOBS, type JobNeeds } from "./scheduled-jobs.ts";
import { mayBeDamage, noteDamage } from "./store/database-damage.ts";
import { runBatch } from "./store/run-batch.ts";
import { isRestoring } from "./transaction/is-restoring.ts";
import { runAlone } from "./transaction/run-alone.ts";
import { afterOthers, beginWork, budgetOf, type Pace, type Work } from "./transaction/work-in-batches.ts";

/** After this long a run begins no other job, in milliseconds: it has to be over when another one may take its place. */
const LATEST = 60_000;

/**
 * Runs every job, one after the other, and logs one line with what each did. A job that fails keeps none of the others
 * from running. A run more than a day after the last one only records itself, and one beside another, or
 * beside a restore, does nothing.
 *
 * @param now The time by the clock: that for which the run was asked for could be anybody's.
 * @throws {ConfigError} when the Worker is not configured.
 * @throws {Problem} `storage-unavailable` when the run cannot be recorded: then nothing is done.
 * @throws {AggregateError} when a job failed, so that the platform shows the run as failed.
 */
export async function runScheduled(env: Env, now: Date, pace: Pace): Promise<void> {
  const began = pace.clock();
  const needs = { ...(await loadConfig(env)), db: afterOthers(env.DB, pace), kv: env.KV, now };
  const alone = await runAlone(needs, () => runJobs(needs, beginWork(env.DB, pace), began + LATEST));
  if (!alone) console.log(JSON.stringify({ level: "info", event: "scheduled", skipped: "another run is at work" }));
}

async function runJobs(needs: Omit<JobNeeds, "run" | "registry" | "accused" | "keyFaults">, work: Work, latest: number): Promise<void> {
  const failures: unknown[] = [];
  const done: Record<string, unknown> = {};
  const damaged: string[] = [];
  const attempt = async <T>(name: string, job: () => Promise<T>, report: (result: T) => unknown): Promise<T | undefined> => {
    try {
      const result = await job();
      done[name] = report(result);
      return result;
    } catch (error) {
      failures.push(error);
      done[name] = { failed: describeError(error) };
      if (mayBeDamage(error)) damaged.push(name);
      return undefined;
    }
  };
  if (await isRestoring(needs)) return console.log(JSON.stringify({ level: "info", event: "scheduled", skipped: "a restore is under way" }));
  const run = await recordRun(needs);
  if (run.resumed) return console.log(JSON.stringify({ level: "info", event: "scheduled", resumed: true }));
  const registry = await attempt(
    "registry",
    () => readRegistry(needs),
    ({ refused }) => ({ refused }),
  );
  const judged = await attempt(
    "judged",
    () => judgeLogs({ ...needs, registry }),
    ({ verdict, logs }) => ({ verdict, logs }),
  );
  const jobNeeds: JobNeeds = { ...needs, run, registry: judged && registry, accused: judged?.accused ?? new Set(), keyFaults: checkKeysOnce(needs) };
  for (const [name, { seconds, work: job }] of Object.entries(JOBS)) {
    const skipped = work.clock() >= latest ? "time" : seconds !== undefined && work.slow ? "slow" : undefined;
    const paced = seconds === undefined ? jobNeeds : { ...jobNeeds, db: work.db, budget: budgetOf(work, seconds) };
    if (skipped) done[name] = { skipped };
    else
      await attempt(
        name,
        () => job(paced),
        (result) => result,
      );
  }
  // What cannot even be noted in a database that is damaged shows by that.
  await runBatch(needs.db, noteDamage(needs.db, damaged, needs.now.getTime())).catch((error: unknown) => failures.push(error));
  console.log(
    JSON.stringify({ level: failures.length > 0 ? "error" : "info", event: "scheduled", ...done, log_signed_with: needs.logKeys.secret, slow: work.slow }),
  );
  if (failures.length > 0) throw new AggregateError(failures, "scheduled jobs failed");
}
