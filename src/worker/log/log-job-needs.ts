import type { EventVersions } from "../../contract/audit-digest.ts";
import type { LogKeys } from "../access/log-keys.ts";
import type { Keyring } from "../envelope/keyring.ts";
import type { BatchNeeds } from "../transaction/work-in-batches.ts";
import type { Registry } from "./registry.ts";

/** What scheduled work on audit logs needs. */
export interface LogJobNeeds extends BatchNeeds {
  readonly keyring: Keyring;
  readonly logKeys: LogKeys;
  /** What the registry says, read before; `undefined` when it could not be: then nothing is done. */
  readonly registry: Registry | undefined;
  /** Organizations whose logs are not what the registry says. */
  readonly accused?: ReadonlySet<string>;
  /** The versions of events that are known, if not those of this code. */
  readonly versions?: EventVersions;
}
