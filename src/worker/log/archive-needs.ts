import type { EventVersions } from "../../contract/audit-digest.ts";
import type { LogKeys } from "../access/log-keys.ts";
import type { Keyring } from "../envelope/keyring.ts";
import type { Budget } from "../transaction/work-in-batches.ts";
import type { Registry } from "./registry.ts";
import type { TurnEnd } from "./take-turns.ts";

/** What archiving needs. */
export interface ArchiveNeeds {
  readonly db: D1Database;
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
  readonly logKeys: LogKeys;
  /** After how many days sealed events leave D1. */
  readonly hotDays: number;
  readonly now: Date;
  /** What the registry says, read before; `undefined` when it could not be: then nothing is archived. */
  readonly registry: Registry | undefined;
  /** Organizations whose logs are not what the registry says. */
  readonly accused?: ReadonlySet<string>;
  /** The versions of events that are known, if not those of this code. */
  readonly versions?: EventVersions;
  /** How much to do; without one all that is due. */
  readonly budget?: Budget | undefined;
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

/** Works on one log, and says what that came to. */
export type Attempt = (org: string, work: () => Promise<Partial<ArchivedEvents>>) => Promise<TurnEnd>;
