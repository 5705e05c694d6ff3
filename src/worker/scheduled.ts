import { type Config, type Env, loadConfig } from "./config.ts";
import { describeError } from "./describe-error.ts";
import { forgetExpiredTokens } from "./grants/forget-expired-tokens.ts";
import { forgetIdentities } from "./grants/forget-identities.ts";
import { forgetRevocations } from "./grants/forget-revocations.ts";
import { readBacklog } from "./health/read-backlog.ts";
import { checkKeysOnce, type KeyFaults, soundKeyring } from "./keys/check-keys.ts";
import { checkRows } from "./keys/check-rows.ts";
import { rewrapBatch } from "./keys/rewrap-keys.ts";
import { settleLeases } from "./leases/settle-leases.ts";
import { archiveLog } from "./log/archive-log.ts";
import { digestLog } from "./log/digest-log.ts";
import { judgeLogs } from "./log/judge-logs.ts";
import { readRegistry } from "./log/read-registry.ts";
import { recordRun, type ScheduledRun } from "./log/record-run.ts";
import type { Registry } from "./log/registry.ts";
import { removeOldEvents } from "./log/remove-old-events.ts";
import { renewHeads } from "./log/renew-heads.ts";
import { sealLog } from "./log/seal-log.ts";
import { takeInventory } from "./log/take-inventory.ts";
import { thinRegistry } from "./log/thin-registry.ts";
import { writeRegistry } from "./log/write-registry.ts";
import { encryptLegacy } from "./secrets/encrypt-legacy.ts";
import { settleCiphertexts } from "./secrets/settle-ciphertexts.ts";

interface JobNeeds extends Config {
  readonly db: D1Database;
  readonly kv: KVNamespace;
  readonly now: Date;
  readonly run: ScheduledRun;
  /** What the registry says; `undefined` when it could not be read, or the logs not be judged by it: then the log waits. */
  readonly registry: Registry | undefined;
  /** Organizations whose logs are not what the registry says. */
  readonly accused: ReadonlySet<string>;
  readonly keyFaults: () => Promise<KeyFaults>;
}

/** What is done each minute. Every job does a bounded amount, goes on where it stopped, and may run twice at once. */
const JOBS: Readonly<Record<string, (needs: JobNeeds) => Promise<unknown>>> = {
  ciphertexts: settleCiphertexts,
  rows: (needs) => checkRows(needs, needs.keyFaults),
  inventory: async (needs) => {
    const faults = await needs.keyFaults();
    return soundKeyring(needs.keyring, faults) ? takeInventory({ ...needs, faultyKeys: new Set(faults.keys()) }) : { skipped: "current-key" };
  },
  rewrapped: (needs) => rewrapBatch(needs, null, needs.keyFaults),
  encrypted: (needs) => (needs.legacyPlaintext && !needs.keyring.sealsRequired ? encryptLegacy(needs) : Promise.resolve(0)),
  leases_unsettled: settleLeases,
  heads: renewHeads,
  sealed: sealLog,
  // Before what may be much work: a log that was sealed and is not on record yet can be set back.
  registered: writeRegistry,
  digested: digestLog,
  archived: archiveLog,
  events_removed: (needs) => removeOldEvents({ ...needs, retentionDays: needs.run.retentionDays, registry: needs.run.steady ? needs.registry : undefined }),
  thinned: (needs) => thinRegistry({ ...needs, retentionDays: needs.run.retentionDays }),
  tokens_forgotten: forgetExpiredTokens,
  identities_forgotten: forgetIdentities,
  revocations_forgotten: forgetRevocations,
  backlog: readBacklog,
};

/**
 * Runs every job, one after the other, and logs one line with what each did. A job that fails keeps none of the others
 * from running. A run more than a day after the last one only records itself.
 *
 * @param now The time by the clock: that for which the run was asked for could be anybody's.
 * @throws {ConfigError} when the Worker is not configured.
 * @throws {Problem} `storage-unavailable` when the run cannot be recorded: then nothing is done.
 * @throws {AggregateError} when a job failed, so that the platform shows the run as failed.
 */
export async function runScheduled(env: Env, now: Date): Promise<void> {
  const failures: unknown[] = [];
  const done: Record<string, unknown> = {};
  const attempt = async <T>(name: string, job: () => Promise<T>, report: (result: T) => unknown): Promise<T | undefined> => {
    try {
      const result = await job();
      done[name] = report(result);
      return result;
    } catch (error) {
      failures.push(error);
      done[name] = { failed: describeError(error) };
      return undefined;
    }
  };
  const needs = { ...(await loadConfig(env)), db: env.DB, kv: env.KV, now };
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
  const work: JobNeeds = { ...needs, run, registry: judged && registry, accused: judged?.accused ?? new Set(), keyFaults: checkKeysOnce(needs) };
  for (const [name, job] of Object.entries(JOBS))
    await attempt(
      name,
      () => job(work),
      (result) => result,
    );
  console.log(JSON.stringify({ level: failures.length > 0 ? "error" : "info", event: "scheduled", ...done, log_signed_with: needs.logKeys.secret }));
  if (failures.length > 0) throw new AggregateError(failures, "scheduled jobs failed");
}
