import type { Doubt, Skippable } from "../../contract/doubts.ts";
import type { ProblemCode } from "../../contract/problems.ts";
import type { ScopeKind } from "../../contract/scope-kinds.ts";
import type { CallOptions, PageQuery } from "./calls.ts";

/** How a value is written in JSON: as text, or as standard base64 (RFC 4648, section 4) of bytes. */
export type Encoding = "utf8" | "base64";

/** A secret's value: text, or bytes. */
export type Value = string | Uint8Array;

/** The place in a store that a secret has its value from. */
export interface Source {
  store: string;
  /** The key as the store has it. */
  key: string;
  /** Of a store that keeps objects, or of a value that is a JSON object: the member that is the value. */
  field?: string | undefined;
  /** The store's own id of a version; left out: the current one. */
  version?: string | undefined;
}

/** A source as it is kept and shown. */
export interface KeptSource extends Source {
  /** Of a scope in a store: the store's id of the version that this write has made there. */
  written?: string | undefined;
}

/** The metadata of a secret. What is left out stays as it is; `null` clears it. */
export interface SecretFields {
  /** Where the value comes from, in place of a value. */
  source?: Source | undefined;
  /** What it is for; never the value. */
  description?: string | null | undefined;
  /** Up to 32 labels. */
  labels?: Record<string, string> | undefined;
  /** RFC 3339. From then on a resolve answers 410. */
  expires_at?: string | null | undefined;
  /** A new value is due this long after the last one. */
  rotate_after_days?: number | null | undefined;
  /** Whether it wins over every narrower scope. */
  locked?: boolean | undefined;
  /** Whether it may become an environment variable. */
  variable?: boolean | undefined;
  /** The hosts to which a service may send the value. */
  hosts?: string[] | undefined;
  /** The longest lease of whoever resolves it, in seconds; 0 for none, `null` for what the deployment allows. */
  max_lease_seconds?: number | null | undefined;
}

/** A secret's metadata. There is no field that could hold a value. */
export interface SecretBody {
  /** Opaque. */
  id: string;
  name: string;
  scope: string;
  /** The number of the current value. */
  version: number;
  description: string | null;
  labels: Record<string, string>;
  expires_at: string | null;
  rotate_after_days: number | null;
  locked: boolean;
  variable: boolean;
  hosts: string[];
  max_lease_seconds: number | null;
  encoding: Encoding;
  /** Where the value comes from; `null` for one that is kept in Keyhole. */
  source: KeptSource | null;
  created_at: string;
  /** The `sub` of the token. */
  created_by: string;
  updated_at: string;
  updated_by: string;
  /** Whether the current value is older than `rotate_after_days`. */
  rotation_due: boolean;
  last_resolved_at: string | null;
  /** When it was deleted; only a list with `deleted: "true"` has such a secret. */
  deleted_at: string | null;
  /** Until when it can come back. */
  deleted_until: string | null;
}

/** The secret, and whether this call changed it. */
export interface SetSecretReply extends SecretBody {
  changed: boolean;
}

/** Which secrets to list. */
export interface ListSecretsQuery extends PageQuery {
  scope?: string | undefined;
  kind?: ScopeKind | undefined;
  name?: string | undefined;
  /** Only names that begin with this. */
  prefix?: string | undefined;
  /** `key:value`. */
  label?: string | undefined;
  /** Only what is due for rotation, or has expired. */
  due?: "rotation" | "expiry" | undefined;
  /** What was deleted and can come back, and nothing else. */
  deleted?: "true" | "false" | undefined;
  /** Only those whose current value was found not to be there, or not to open. */
  state?: "lost" | undefined;
}

/** A secret's metadata in the state that an entity tag names. */
export interface TaggedSecret {
  readonly secret: SecretBody;
  /** For `ifMatch`: a write with it happens only while the secret is in this state. */
  readonly etag: string;
}

/** One page of secrets. `next_cursor` is `null` on the last one. */
export interface SecretPage {
  secrets: SecretBody[];
  next_cursor: string | null;
}

/** One version of a secret's value. */
export interface VersionBody {
  version: number;
  created_at: string;
  created_by: string;
  state: "current" | "previous" | "destroyed";
  /** The store's own id of the version that was written there, or that the source names. */
  store_version: string | null;
}

/** One page of versions. */
export interface VersionPage {
  versions: VersionBody[];
  next_cursor: string | null;
}

/** For a write that is to happen in one state only: an entity tag in quotes, or `*`. With one, a lost reply is not retried. */
export interface Conditions extends CallOptions {
  readonly ifMatch?: string | undefined;
  readonly ifNoneMatch?: string | undefined;
}

/** What becomes of the earlier versions where a deleted secret had the name. */
export interface Undeleting {
  /** They come back, too; otherwise they are destroyed. */
  readonly undelete?: boolean | undefined;
}

/** How a secret is set. */
export type SetOptions = Conditions & Undeleting;

/** How a secret is deleted. */
export interface DeleteOptions extends Conditions {
  /** At once and for good; also what was deleted before. */
  readonly purge?: boolean | undefined;
}

/** What was deleted. */
export interface Deleted {
  /**
   * Until when it can come back; `null` where it is gone for good; `undefined` where that is not known: the reply was lost, and
   * another attempt found it deleted. `list({ deleted: "true" })` says it.
   */
  readonly deleted_until: string | null | undefined;
}

/** How an import is made. */
export interface ImportOptions extends CallOptions, Undeleting {
  /** Only say what would happen. */
  readonly dryRun?: boolean | undefined;
  /** What is taken as it is, although it is likely meant in another way. */
  readonly allow?: readonly Doubt[] | undefined;
  /** What is left out and listed instead of refused. */
  readonly skip?: readonly Skippable[] | undefined;
}

/** The names of an import, by what became of them. */
export interface ImportReply {
  created: string[];
  updated: string[];
  unchanged: string[];
  /** What was left out, with `skip`. */
  skipped?: { name: string; reason: Skippable }[] | undefined;
  /** Of a scope in a store: what the store has not taken, or may not have taken. Of the others nothing is undone. */
  failed?: { name: string; code: ProblemCode; detail: string }[] | undefined;
}

/** A key of a document with its value: text, or JSON as it is written. */
export interface ObjectMember {
  key: string;
  value: string;
  encoding: "utf8" | "json";
}

/** How a document is imported. */
export interface ImportObjectOptions extends CallOptions {
  readonly customMetadata?: Readonly<Record<string, string>> | undefined;
  /** Only say what would happen. */
  readonly dryRun?: boolean | undefined;
  /** Whether a value takes the place of a different one. If not, nothing at all is written where one is different. */
  readonly overwrite?: boolean | undefined;
}

/** The keys of a document, by how they compare with what was there. */
export interface ImportObjectReply {
  new: string[];
  same: string[];
  different: string[];
  custom_metadata: "new" | "same" | "different" | null;
  /** Whether anything was written. */
  written: boolean;
}

/** Secrets: what people write, and what may be read of it. No reply holds a value. */
export interface SecretCalls {
  /**
   * Creates the secret or adds a version to it. The same value again adds none. Bytes are kept as bytes.
   *
   * @example
   * await client.secrets.set("namespace:prod", "OPENAI_API_KEY", key, { rotate_after_days: 90 });
   */
  set(scope: string, name: string, value: Value, fields?: SecretFields, options?: SetOptions): Promise<SetSecretReply>;
  /**
   * The same with a place in a store, which the value comes from.
   *
   * @example
   * await client.secrets.setSource("namespace:prod", "DATABASE_URL", { store: "vault-prod", key: "prod/database", field: "url" });
   */
  setSource(scope: string, name: string, source: Source, fields?: SecretFields, options?: SetOptions): Promise<SetSecretReply>;
  /**
   * Creates the secret; `secret-exists` when there is one. Retried after `write-conflict` only.
   *
   * @example
   * const { id } = await client.secrets.create("repo:acme/api", "SESSION_KEY", crypto.getRandomValues(new Uint8Array(32)));
   */
  create(scope: string, name: string, value: Value, fields?: SecretFields, options?: CallOptions & Undeleting): Promise<SecretBody>;
  /**
   * The metadata of a secret.
   *
   * @example
   * const { version, expires_at } = await client.secrets.get("namespace:prod", "OPENAI_API_KEY");
   */
  get(scope: string, name: string, options?: CallOptions): Promise<SecretBody>;
  /**
   * The same with the entity tag of the state that it is in.
   *
   * @example
   * const { secret, etag } = await client.secrets.getTagged("namespace:prod", "OPENAI_API_KEY");
   * if (secret.version === 3) await client.secrets.set("namespace:prod", "OPENAI_API_KEY", key, {}, { ifMatch: etag });
   */
  getTagged(scope: string, name: string, options?: CallOptions): Promise<TaggedSecret>;
  /**
   * The metadata of a secret, by its id.
   *
   * @example
   * const { scope, name } = await client.secrets.getById("sec_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c");
   */
  getById(id: string, options?: CallOptions): Promise<SecretBody>;
  /**
   * Changes what is given, by id. Retried after `write-conflict` only.
   *
   * @example
   * await client.secrets.patch(id, { description: "rotated by hand", expires_at: null });
   */
  patch(id: string, changes: SecretFields & { value?: Value }, options?: Conditions): Promise<SetSecretReply>;
  /**
   * Deletes a secret with all its versions. Says until when it can come back; see {@link Deleted}.
   *
   * @example
   * const { deleted_until } = await client.secrets.delete("namespace:prod", "OLD_KEY");
   */
  delete(scope: string, name: string, options?: DeleteOptions): Promise<Deleted>;
  /**
   * Deletes a secret by its id.
   *
   * @example
   * await client.secrets.deleteById(id, { purge: true });
   */
  deleteById(id: string, options?: DeleteOptions): Promise<Deleted>;
  /**
   * Brings a deleted secret back, with all its versions and its metadata. `list({ deleted: "true" })` has its id.
   *
   * @example
   * await client.secrets.undelete(id);
   */
  undelete(id: string, options?: Conditions): Promise<SetSecretReply>;
  /**
   * One page of the secrets that the token may see, by name and then scope.
   *
   * @example
   * const { secrets, next_cursor } = await client.secrets.list({ prefix: "OPENAI_" });
   */
  list(query?: ListSecretsQuery, options?: CallOptions): Promise<SecretPage>;
  /**
   * All of them, page after page.
   *
   * @example
   * for await (const { name, scope } of client.secrets.listAll({ due: "rotation" })) console.log(scope, name);
   */
  listAll(query?: ListSecretsQuery, options?: CallOptions): AsyncGenerator<SecretBody>;
  /**
   * One page of a secret's versions, newest first.
   *
   * @example
   * const { versions } = await client.secrets.versions(id);
   */
  versions(id: string, query?: PageQuery, options?: CallOptions): Promise<VersionPage>;
  /**
   * Makes an older value current as a new version, without anyone reading it. Retried after `write-conflict` only.
   *
   * @example
   * await client.secrets.rollback(id, 2);
   */
  rollback(id: string, version: number, options?: Conditions): Promise<SetSecretReply>;
  /**
   * Destroys an older value for good.
   *
   * @example
   * await client.secrets.destroyVersion(id, 1);
   */
  destroyVersion(id: string, version: number, options?: Conditions): Promise<void>;
  /**
   * Sets many secrets of one scope, all or none: names and values, or the text of a `.env` file. Retried after `write-conflict` only.
   *
   * @example
   * const { created, updated } = await client.secrets.import("repo:acme/api", { API_KEY: "one", DATABASE_URL: "two" });
   */
  import(scope: string, secrets: Readonly<Record<string, string>> | string, options?: ImportOptions): Promise<ImportReply>;
  /**
   * Sets the keys of a document in one scope, all or none, as Vault's clients would, and says how they compare with what was there.
   * The same again changes nothing, so it is retried.
   *
   * @example
   * await client.secrets.importObject("repo:acme/api", [{ key: "port", value: "5432", encoding: "json" }], { dryRun: true });
   */
  importObject(scope: string, members: readonly ObjectMember[], options?: ImportObjectOptions): Promise<ImportObjectReply>;
}
