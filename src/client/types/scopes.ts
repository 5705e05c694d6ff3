import type { CallOptions, PageQuery } from "./calls.ts";

/** A scope that is declared, in use, or in a store. */
export interface ScopeBody {
  scope: string;
  parent: string | null;
  /** How many secrets it holds. */
  secrets: number;
  /** The store in which its values are kept; `null`: in Keyhole. */
  store: string | null;
  /** What its keys begin with there. */
  prefix: string | null;
}

/** One page of scopes. */
export interface ScopePage {
  scopes: ScopeBody[];
  next_cursor: string | null;
}

/** Why a sync leaves a key of the store out. */
export type LeftOutKey = "not-a-name" | "name-reserved" | "name-locked" | "env-name-conflict" | "deleted" | "value-here" | "not-allowed" | "being-written";

/** What a sync brings in. */
export interface ScopeSync {
  /** Secrets that are here from now on; of a dry run, that would be. */
  created: string[];
  /** How many keys are secrets here already. */
  present: number;
  /** Keys that are left out. */
  skipped: { key: string; reason: LeftOutKey }[];
  /** How many others are left out: 500 are named. */
  skipped_more: number;
  /** Secrets whose key the store does not have any more. */
  missing: string[];
  /** How many more could be created: repeat the call until there are none. */
  remaining: number;
  /** Whether the store was listed to its end. */
  complete: boolean;
}

/** How a sync is made. */
export interface SyncOptions extends CallOptions {
  /** Only say what would happen. */
  readonly dryRun?: boolean | undefined;
}

/** How a scope's secrets are deleted. */
export interface DeleteSecretsOptions extends CallOptions {
  /** At once and for good. */
  readonly purge?: boolean | undefined;
}

/** What was deleted of a scope, and what is left. */
export interface DeletedScope {
  deleted: number;
  remaining: number;
  /** Until when they can come back; `null` where they are gone for good. */
  deleted_until: string | null;
}

/** The tree of scopes. */
export interface ScopeCalls {
  /**
   * Puts a scope under another, which a resolve then searches too.
   *
   * @example
   * await client.scopes.put("repo:acme/payments", "namespace:prod");
   */
  put(scope: string, parent: string, options?: CallOptions): Promise<ScopeBody>;
  /**
   * Puts a scope into a store: what is written in it is kept there from then on, under keys that begin with `prefix`.
   *
   * @example
   * await client.scopes.putInStore("namespace:prod", "vault-prod", "prod/");
   */
  putInStore(scope: string, store: string, prefix: string, options?: CallOptions): Promise<ScopeBody>;
  /**
   * Takes a scope out of its store. What is there is read from there as before; what is written then is not kept there.
   *
   * @example
   * await client.scopes.takeFromStore("namespace:prod");
   */
  takeFromStore(scope: string, options?: CallOptions): Promise<ScopeBody>;
  /**
   * Brings in what a scope's store has, up to 200 names in a call; to be repeated until none remain. Nothing is deleted, and no value is read.
   *
   * @example
   * const { created, remaining } = await client.scopes.sync("namespace:prod", { dryRun: true });
   */
  sync(scope: string, options?: SyncOptions): Promise<ScopeSync>;
  /**
   * One page of the scopes that are declared, in use, or in a store.
   *
   * @example
   * const { scopes } = await client.scopes.list();
   */
  list(query?: PageQuery, options?: CallOptions): Promise<ScopePage>;
  /**
   * All of them, page after page.
   *
   * @example
   * for await (const { scope, parent } of client.scopes.listAll()) console.log(scope, parent);
   */
  listAll(options?: CallOptions): AsyncGenerator<ScopeBody>;
  /**
   * Removes a scope's parent.
   *
   * @example
   * await client.scopes.delete("repo:acme/payments");
   */
  delete(scope: string, options?: CallOptions): Promise<void>;
  /**
   * Deletes up to 200 of a scope's secrets, with `purge` for good; to be repeated until none remain.
   *
   * @example
   * const { remaining } = await client.scopes.deleteSecrets("agent:old");
   */
  deleteSecrets(scope: string, options?: DeleteSecretsOptions): Promise<DeletedScope>;
}
