import { forgetBackups } from "./backup/forget-backups.ts";
import type { Config } from "./config.ts";
import { forgetExpiredTokens } from "./grants/forget-expired-tokens.ts";
import { forgetIdentities } from "./grants/forget-identities.ts";
import { forgetRevocations } from "./grants/forget-revocations.ts";
import { readBacklog } from "./health/read-backlog.ts";
import { type KeyFaults, soundKeyring } from "./keys/check-keys.ts";
import { checkRows } from "./keys/check-rows.ts";
import { rewrapAll } from "./keys/rewrap-keys.ts";
import { settleLeases } from "./leases/settle-leases.ts";
import { archiveLog } from "./log/archive-log.ts";
import { digestLog } from "./log/digest-log.ts";
import { isArchiveWhole } from "./log/is-archive-whole.ts";
import type { ScheduledRun } from "./log/record-run.ts";
import type { Registry } from "./log/registry.ts";
import { removeOldEvents } from "./log/remove-old-events.ts";
import { renewHeads } from "./log/renew-heads.ts";
import { sealLog } from "./log/seal-log.ts";
import { takeInventory } from "./log/take-inventory.ts";
import { thinRegistry } from "./log/thin-registry.ts";
import { writeRegistry } from "./log/write-registry.ts";
import { settleWrites } from "./scope-stores/settle-writes.ts";
import { encryptLegacy } from "./secrets/encrypt-legacy.ts";
import { purgeDeleted } from "./secrets/purge-deleted.ts";
import { scrubValues } from "./secrets/scrub-values.ts";
import { settleCiphertexts } from "./secrets/settle-ciphertexts.ts";
import type { Budget } from "./transaction/work-in-batches.ts";
import { deliverMessages } from "./webhooks/deliver-messages.ts";
import { queueMessages } from "./webhooks/queue-messages.ts";

/** What jobs need. */
export interface JobNeeds extends Config {
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

interface Job {
  /** For how many seconds it may work. Without them it is what records and watches: little, and done in any case. */
  readonly seconds?: number;
  readonly work: (needs: JobNeeds & { readonly budget?: Budget }) => Promise<unknown>;
}

/**
 * What is done each minute. Every job goes on where it stopped, and may run twice at once. What has a budget works in
 * batches: all budgets together are 40 seconds.
 */
export const JOBS: Readonly<Record<string, Job>> = {
  rows: {
    seconds: 2,
    work: (needs) => checkRows({ ...needs, isWhole: ({ org, key }) => isArchiveWhole(needs, org, Number(key[1])) }, needs.keyFaults),
  },
  inventory: {
    work: async (needs) => {
      const faults = await needs.keyFaults();
      return soundKeyring(needs.keyring, faults) ? takeInventory({ ...needs, faultyKeys: new Set(faults.keys()) }) : { skipped: "current-key" };
    },
  },
  rewrapped: { seconds: 4, work: (needs) => rewrapAll(needs, needs.keyFaults) },
  encrypted: { seconds: 2, work: (needs) => (needs.legacyPlaintext && !needs.keyring.sealsRequired ? encryptLegacy(needs) : Promise.resolve(0)) },
  leases_unsettled: { seconds: 2, work: settleLeases },
  heads: { work: renewHeads },
  sealed: { seconds: 6, work: sealLog },
  // Before what may be much work: a log that was sealed and is not on record yet can be set back.
  registered: { work: writeRegistry },
  digested: { seconds: 5, work: digestLog },
  archived: { seconds: 5, work: archiveLog },
  events_removed: {
    seconds: 3,
    work: (needs) => removeOldEvents({ ...needs, retentionDays: needs.run.retentionDays, registry: needs.run.steady ? needs.registry : undefined }),
  },
  thinned: { work: (needs) => thinRegistry({ ...needs, retentionDays: needs.run.retentionDays }) },
  tokens_forgotten: { seconds: 1, work: forgetExpiredTokens },
  identities_forgotten: { work: forgetIdentities },
  revocations_forgotten: { seconds: 1, work: forgetRevocations },
  secrets_purged: { seconds: 1, work: purgeDeleted },
  changes_forgotten: { work: forgetBackups },
  // After the others: it asks KV most often, and how often a run may ask has an end.
  ciphertexts: { seconds: 7, work: settleCiphertexts },
  values: { seconds: 1, work: scrubValues },
  webhooks_queued: { work: queueMessages },
  // The last: how long it takes is with stores outside. It asks about few at a time, all at once.
  store_writes: { work: settleWrites },
  webhooks_sent: { work: deliverMessages },
  backlog: { work: (needs) => readBacklog({ ...needs, retentionDays: needs.run.retentionDays }) },
};
