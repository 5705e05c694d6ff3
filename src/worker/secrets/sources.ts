import type { Encoding } from "../../contract/secret.ts";
import type { Caller } from "../access/caller.ts";
import type { Unread } from "./read-values.ts";

/** A secret that has its value from somewhere else. */
export interface SourcedSecret {
  /** The organization whose secret it is. */
  readonly org: string;
  /** The scope that it is in, or `builtin`. */
  readonly scope: string;
  /** Where its value is, as it is kept. */
  readonly bytes: Uint8Array;
}

/** What a store has for it. */
export interface SourcedValue {
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
  /** The store's own id of the version. */
  readonly version: string;
  /** Stands for the value, and does not tell it: a store may have another one under the same version, after it was made anew. */
  readonly mark: string;
  /** Until when it may be given without asking the store, in milliseconds since 1970: a time that has passed where the store is away. */
  readonly until: number;
}

/** Reads the values of secrets that have them from somewhere else, in the order of `secrets`: each comes with its value, or with why it cannot be had. */
export interface SourceReader {
  read(caller: Caller, secrets: readonly SourcedSecret[]): Promise<(SourcedValue | Unread)[]>;
}
