import type { KeptTokens } from "../injection/kept-tokens.ts";
import type { OutgoingRules } from "../outgoing/require-public-origin.ts";

/** A place outside where values live: one file for each kind. Each of its functions throws {@link StoreError} and nothing else. */
export interface StoreDriver {
  /**
   * The value under a key; `undefined` where there is none.
   *
   * @param version The store's own id of a version; left out: the current one.
   */
  get(key: string, version?: string): Promise<StoredValue | undefined>;
  /** Writes a value as the new current version. The same `operation` twice is one write. */
  put(key: string, value: Uint8Array<ArrayBuffer>, write: StoreWrite): Promise<StoreVersion>;
  /** One page of the names that begin with `prefix`; it may be empty, and there may yet be more. */
  list(prefix: string, cursor?: string): Promise<StorePage>;
  /** The version that an operation has written under a key, also where another is current by now; `undefined` where the store knows of none. */
  find(key: string, operation: string): Promise<StoreVersion | undefined>;
  /** Deletes a key, so that the store can bring it back where it knows how; `false` where there was none. */
  delete(key: string): Promise<boolean>;
  /** The version that a deleted key comes back with; `undefined` where none could come back, or it would have no value. */
  deleted(key: string): Promise<StoreVersion | undefined>;
  /** Brings a deleted key back; `false` where there is none that could come back. One that is there stays as it is. */
  restore(key: string): Promise<boolean>;
}

export interface StoreVersion {
  /** The store's own id of a version. */
  readonly version: string;
}

export interface StoredValue extends StoreVersion {
  readonly value: Uint8Array<ArrayBuffer>;
  /** The object that the value is kept in, where the store keeps objects: what a `field` is looked for in. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

export interface StoreWrite {
  /** A UUID of this write. */
  readonly operation: string;
  /** The version that must be current; `null`: there must be none. */
  readonly ifVersion?: string | null;
}

export interface StorePage {
  readonly keys: readonly string[];
  /** The cursor of the next page. */
  readonly next?: string;
}

/** What a driver needs beside its definition and its credentials. */
export interface DriverNeeds {
  readonly now: Date;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Lets work go on after the reply. */
  readonly defer: (work: Promise<unknown>) => void;
  /** Aborted when no call may begin or go on any more. Left out: never. */
  readonly over?: AbortSignal;
  /** Told that nobody knows whether something that was sent has changed the store. */
  readonly onUnknown?: () => void;
  /** Waits, in milliseconds. Left out: by a timer. */
  readonly pause?: (milliseconds: number) => Promise<void>;
  readonly rules: OutgoingRules;
  /** Which store it is, also among those that had its name before: access that was given to one is not another's, which may have less. */
  readonly store: string;
  /** An OpenID token of Keyhole's for this store, for one audience. */
  readonly identityToken: (audience: string) => Promise<string>;
  /** The organization's id: what AWS asks of whoever takes a role, so that no other organization can have it taken. */
  readonly externalId: string;
  /** Where an access token may be kept. */
  readonly kept: KeptTokens;
  /** Stand-ins on this machine for what a definition cannot name. They are refused unless insecure origins are allowed. */
  readonly standIns?: { readonly sts?: string; readonly authority?: string };
}

/** What was opened of a store's credentials. */
export type StoreCredentials =
  | { readonly access_key_id: string; readonly secret_access_key: string }
  | { readonly client_secret: string }
  | { readonly private_key: string; readonly thumbprint: string }
  | { readonly token: string }
  | { readonly role: string; readonly jwt_auth: string };

/** Why a store did not do what was asked. */
export type StoreRefusal =
  /** Nothing is sent there: it is no address of such a store, not public as a text, or the deployment's own. */
  | "address"
  /** The store does not know who asks: wrong, expired, or taken back. */
  | "credential"
  /** It knows, and refuses. */
  | "permission"
  /** After all retries. */
  | "throttled"
  | "unreachable"
  | "too-slow"
  /** More than the store takes. */
  | "too-large"
  /** Another version is current than the one that was to be replaced. */
  | "conflict"
  /** The name is that of a deleted secret, which can be brought back or removed for good, and until then is taken. */
  | "deleted-name"
  /** The store has no such names, or none so long. */
  | "name"
  /** It lists more than can be gone through, or goes round in circles. */
  | "endless"
  /** It said something that is no answer of such a store. */
  | "reply";

/** A store did not do what was asked. Nothing of its reply is in here. */
export class StoreError extends Error {
  override readonly name = "StoreError";

  /** @param mayBeDone Whether what it was to change may be changed all the same: that was sent before, and not answered. */
  constructor(
    readonly refusal: StoreRefusal,
    readonly mayBeDone = false,
  ) {
    super(`a store did not do what was asked: ${refusal}`);
  }
}
