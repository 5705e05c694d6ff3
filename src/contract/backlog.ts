import * as z from "zod";

const seconds = z.int().nullable().meta({ description: "For how long the oldest of them has been due; `null` where that is not known." });
const waitingRows = (description: string) => z.object({ rows: z.int().meta({ description: "10,001 for more than 10,000." }), seconds }).meta({ description });
const waitingEvents = (description: string) => z.object({ events: z.int(), seconds }).meta({ description });

const waitingWorkSchema = z
  .object({
    ciphertexts_put: waitingRows("Ciphertexts that are not known to be in KV a minute after they were written."),
    ciphertexts_cleared: waitingRows("Ciphertexts that are still in D1 five minutes after they were put into KV."),
    ciphertexts_removed: waitingRows(
      "Objects that are still in KV twenty minutes after they were to go: 30 days after what they hold was superseded or could not come back any more, and at once of what was purged or destroyed.",
    ),
    store_writes: waitingRows("What was begun in the stores of scopes, and of which it should be found out by now whether it has happened."),
    secrets_purged: waitingRows("Deleted secrets that cannot come back any more, and are still there."),
    rewrapped: waitingRows("Data keys of versions and archives that are under an older key."),
    leases_unsettled: waitingRows("Leases that ended two minutes ago without their last count, and of which the log does not say so yet."),
    sealed: waitingEvents("Events that are not sealed yet."),
    digested: waitingEvents("Events that are not in the index by secret yet."),
    archived: waitingEvents("Events that are still in D1 although they should be in the archive: a day after `AUDIT_HOT_DAYS`."),
    events_removed: waitingEvents("Events that are older than they are kept."),
    tokens_forgotten: waitingRows("Rows of tokens that expired more than a week ago."),
    identities_forgotten: waitingRows("Identity tokens that were exchanged and are refused for their age by now."),
    revocations_forgotten: waitingRows("Revocations of tokens that are long gone."),
  })
  .meta({
    description:
      "How far each job of the scheduled run is behind: what is due, and not what will be. It is well if that is done within a minute or two; what grows from hour to hour is more than runs get done.",
  });

/** How far each job of the scheduled run is behind. */
export type WaitingWork = z.infer<typeof waitingWorkSchema>;

/** What waits for scheduled work or for somebody to look at it, and how full the database is. */
export const backlogSchema = z.object({
  set_aside: z.int().meta({ description: "Versions on which scheduled work failed; each is tried again later." }),
  legacy_plaintext: z.int().meta({ description: "Values that are not encrypted yet." }),
  audit_logs: z.int().meta({ description: "Audit logs that do not match what was signed, or were signed with a key that is not known." }),
  integrity_failures: z
    .int()
    .meta({ description: "Rows that are not what this deployment wrote: they count for nothing, and calls that need them are refused." }),
  lost_values: z.int().meta({
    description: "Versions whose ciphertext was found not to be in KV, or not to open. `GET /v1/secrets?state=lost` lists the secrets whose current one is.",
  }),
  leases_unsettled: z.int().meta({
    description:
      "Leases of the last day that ended without their last count, because an isolate was lost: the log says at least and at most how often each was used.",
  }),
  env_name_conflicts: z.int().meta({
    description:
      "Environment names that several secrets of one scope have, from before that was refused: the first by name becomes the variable, or the one that is locked. Each can still be changed; deleting all but one ends it.",
  }),
  scheduled: waitingWorkSchema,
  database_bytes: z.int().meta({ description: "How many bytes D1 has stored. A database takes 10 GB." }),
  database_days_left: z.int().nullable().meta({
    description:
      "In how many days the database is full, if it goes on growing as it did in the last day; `null` where it has not grown, or less than a day of it is known.",
  }),
});
/** What waits for scheduled work or for somebody to look at it, and how full the database is. */
export type Backlog = z.infer<typeof backlogSchema>;

const NO_ROWS = { rows: 0, seconds: 0 };
const NO_EVENTS = { events: 0, seconds: 0 };

export const BACKLOG_EXAMPLE: Backlog = {
  set_aside: 0,
  legacy_plaintext: 0,
  audit_logs: 0,
  integrity_failures: 0,
  lost_values: 0,
  leases_unsettled: 0,
  env_name_conflicts: 0,
  scheduled: {
    ciphertexts_put: NO_ROWS,
    ciphertexts_cleared: { rows: 12, seconds: 41 },
    ciphertexts_removed: NO_ROWS,
    store_writes: NO_ROWS,
    secrets_purged: NO_ROWS,
    rewrapped: NO_ROWS,
    leases_unsettled: NO_ROWS,
    sealed: { events: 310, seconds: 17 },
    digested: { events: 310, seconds: 17 },
    archived: NO_EVENTS,
    events_removed: NO_EVENTS,
    tokens_forgotten: NO_ROWS,
    identities_forgotten: NO_ROWS,
    revocations_forgotten: NO_ROWS,
  },
  database_bytes: 1_048_576,
  database_days_left: 900,
};
