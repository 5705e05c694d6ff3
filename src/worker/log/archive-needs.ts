import type { LogJobNeeds } from "./log-job-needs.ts";
import type { TurnEnd } from "./take-turns.ts";

/** What archiving needs. */
export interface ArchiveNeeds extends LogJobNeeds {
  readonly kv: KVNamespace;
  /** After how many days sealed events leave D1. */
  readonly hotDays: number;
}

/** What a run did. */
export interface ArchivedEvents {
  /** Events whose copy was put into KV. */
  put: number;
  /** Events that were found in KV as they are here, and have left D1. */
  archived: number;
  /** Objects that were given up because they were not in KV, or not as they were put: what they have is put again. */
  dropped: number;
  /** Logs with stretches that are not what was signed, or of a later Keyhole: they stay. */
  refused: number;
}

/** How many checkpoints one object has: one a minute, for a day. */
export const ARCHIVED_CHECKPOINTS = 1_500;
/** How many characters of secrets, beside its last stretch: what is archived is in memory at once. */
export const ARCHIVED_SIZE = 3_000_000;

/** Works on one log, and says what that came to. */
export type Attempt = (org: string, work: () => Promise<Partial<ArchivedEvents>>) => Promise<TurnEnd>;
