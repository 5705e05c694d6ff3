import type * as z from "zod";
import { type Doubt, type ImportReply, importReplySchema, type Skippable } from "../contract/import.ts";
import { type ImportObjectReply, importObjectReplySchema, type ObjectMember } from "../contract/import-object.ts";
import {
  DELETED_UNTIL_HEADER,
  listSecretsReplySchema,
  type listSecretsSchema,
  type SecretBody,
  type SetSecretReply,
  secretSchema,
  setSecretReplySchema,
  type setSecretSchema,
} from "../contract/secret.ts";
import type { Source } from "../contract/source.ts";
import { versionListSchema } from "../contract/version.ts";
import { LostReply } from "./lost-reply.ts";
import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";
import { type Value, valueFields } from "./value-fields.ts";

/** The metadata of a secret. What is left out stays as it is; `null` clears it. */
export type SecretFields = Omit<z.input<typeof setSecretSchema>, "value" | "encoding">;
/** Which secrets to list. */
export type ListSecretsQuery = Partial<Omit<z.input<typeof listSecretsSchema>, "limit">> & { limit?: number | undefined };
export type SecretPage = z.output<typeof listSecretsReplySchema>;
export type VersionPage = z.output<typeof versionListSchema>;

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
export type SetOptions = Conditions & Undeleting;
export type DeleteOptions = Conditions & {
  /** At once and for good; also what was deleted before. */
  readonly purge?: boolean | undefined;
};

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

/** How a document is imported. */
export interface ImportObjectOptions extends CallOptions {
  readonly customMetadata?: Readonly<Record<string, string>> | undefined;
  /** Only say what would happen. */
  readonly dryRun?: boolean | undefined;
  /** Whether a value takes the place of a different one. If not, nothing at all is written where one is different. */
  readonly overwrite?: boolean | undefined;
}

/** Secrets: what people write, and what may be read of it. No reply holds a value. */
export function secretCalls(send: Send) {
  const at = (scope: string, name: string) => `/v1/scopes/${encodeURIComponent(scope)}/secrets/${encodeURIComponent(name)}`;
  const byId = (id: string) => `/v1/secrets/${encodeURIComponent(id)}`;
  const list = async (query: ListSecretsQuery = {}, options: CallOptions = {}): Promise<SecretPage> =>
    readReply(await send({ method: "GET", path: "/v1/secrets", query: { ...query }, ...options }), listSecretsReplySchema);

  return {
    /** Creates the secret or adds a version to it. The same value again adds none. Bytes are kept as bytes. */
    async set(scope: string, name: string, value: Value, fields: SecretFields = {}, options: SetOptions = {}): Promise<SetSecretReply> {
      const json = { ...valueFields(value), ...fields };
      return readReply(await send({ method: "PUT", path: at(scope, name), query: undeleting(options), json, ...conditional(options) }), setSecretReplySchema);
    },
    /** The same with a place in a store, which the value comes from. */
    async setSource(scope: string, name: string, source: Source, fields: SecretFields = {}, options: SetOptions = {}): Promise<SetSecretReply> {
      const json = { source, ...fields };
      return readReply(await send({ method: "PUT", path: at(scope, name), query: undeleting(options), json, ...conditional(options) }), setSecretReplySchema);
    },
    /** Creates the secret; `secret-exists` when there is one. Retried after `write-conflict` only. */
    async create(scope: string, name: string, value: Value, fields: SecretFields = {}, options: CallOptions & Undeleting = {}): Promise<SecretBody> {
      const json = { scope, name, ...valueFields(value), ...fields };
      const { undelete, ...call } = options;
      return readReply(await send({ method: "POST", path: "/v1/secrets", query: undeleting({ undelete }), json, ...call }), secretSchema);
    },
    /** The metadata of a secret. */
    async get(scope: string, name: string, options: CallOptions = {}): Promise<SecretBody> {
      return readReply(await send({ method: "GET", path: at(scope, name), ...options }), secretSchema);
    },
    /** The metadata of a secret, by its id. */
    async getById(id: string, options: CallOptions = {}): Promise<SecretBody> {
      return readReply(await send({ method: "GET", path: byId(id), ...options }), secretSchema);
    },
    /** Changes what is given, by id. Retried after `write-conflict` only. */
    async patch(id: string, { value, ...fields }: SecretFields & { value?: Value }, options: Conditions = {}): Promise<SetSecretReply> {
      const json = { ...(value !== undefined && valueFields(value)), ...fields };
      return readReply(await send({ method: "PATCH", path: byId(id), json, ...conditional(options) }), setSecretReplySchema);
    },
    /** Deletes a secret with all its versions. Says until when it can come back; see {@link Deleted}. */
    async delete(scope: string, name: string, options: DeleteOptions = {}): Promise<Deleted> {
      return readDeleted(await send({ method: "DELETE", path: at(scope, name), query: purging(options), ...conditional(options) }));
    },
    /** Deletes a secret by its id. */
    async deleteById(id: string, options: DeleteOptions = {}): Promise<Deleted> {
      return readDeleted(await send({ method: "DELETE", path: byId(id), query: purging(options), ...conditional(options) }));
    },
    /** Brings a deleted secret back, with all its versions and its metadata. `list({ deleted: "true" })` has its id. */
    async undelete(id: string, options: Conditions = {}): Promise<SetSecretReply> {
      return readReply(await send({ method: "POST", path: `${byId(id)}/undelete`, ...conditional(options) }), setSecretReplySchema);
    },
    /** One page of the secrets that the token may see, by name and then scope. */
    list,
    /** All of them, page after page. */
    listAll: (query: ListSecretsQuery = {}, options: CallOptions = {}): AsyncGenerator<SecretBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...query, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.secrets, next: page.next_cursor };
      }),
    /** One page of a secret's versions, newest first. */
    async versions(id: string, query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<VersionPage> {
      return readReply(await send({ method: "GET", path: `${byId(id)}/versions`, query, ...options }), versionListSchema);
    },
    /** Makes an older value current as a new version, without anyone reading it. Retried after `write-conflict` only. */
    async rollback(id: string, version: number, options: Conditions = {}): Promise<SetSecretReply> {
      return readReply(await send({ method: "POST", path: `${byId(id)}/rollback`, json: { version }, ...conditional(options) }), setSecretReplySchema);
    },
    /** Destroys an older value for good. */
    async destroyVersion(id: string, version: number, options: Conditions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: `${byId(id)}/versions/${version}`, ...conditional(options) }));
    },
    /** Sets many secrets of one scope, all or none: names and values, or the text of a `.env` file. Retried after `write-conflict` only. */
    async import(scope: string, secrets: Readonly<Record<string, string>> | string, options: ImportOptions = {}): Promise<ImportReply> {
      const { dryRun = false, allow, skip, signal } = options;
      const query = { allow, skip, dry_run: String(dryRun), ...undeleting(options) };
      const request =
        typeof secrets === "string"
          ? { query: { scope, ...query }, body: secrets, headers: { "Content-Type": "text/plain; charset=utf-8" } }
          : { query, json: { scope, secrets } };
      return readReply(await send({ method: "POST", path: "/v1/import", ...request, signal }), importReplySchema);
    },
    /** Sets the keys of a document in one scope, all or none, as Vault's clients would, and says how they compare with what was there. The same again changes nothing, so it is retried. */
    async importObject(scope: string, members: readonly ObjectMember[], options: ImportObjectOptions = {}): Promise<ImportObjectReply> {
      const { customMetadata, dryRun = false, overwrite = false, signal } = options;
      const json = { scope, members, ...(customMetadata && { custom_metadata: customMetadata }) };
      const query = { dry_run: String(dryRun), overwrite: String(overwrite) };
      return readReply(await send({ method: "POST", path: "/v1/import/object", query, json, repeatable: true, signal }), importObjectReplySchema);
    },
  };
}

function undeleting({ undelete }: Undeleting) {
  return undelete === true ? { undelete: "true" } : {};
}

function purging({ purge }: DeleteOptions) {
  return purge === true ? { purge: "true" } : {};
}

async function readDeleted(response: Response): Promise<Deleted> {
  const until = response.headers.get(DELETED_UNTIL_HEADER);
  await readNothing(response);
  if (response instanceof LostReply) return { deleted_until: undefined };
  return { deleted_until: until === null ? null : until.replace(/^"|"$/g, "") };
}

function conditional({ ifMatch, ifNoneMatch, signal }: Conditions) {
  // Runtimes drop a header that is empty: it would be a write without the condition that was meant.
  for (const tag of [ifMatch, ifNoneMatch])
    if (tag !== undefined && tag.trim() === "") throw new TypeError("ifMatch and ifNoneMatch are entity tags in double quotes, or *; an empty text is none");
  return { headers: { "If-Match": ifMatch, "If-None-Match": ifNoneMatch }, signal };
}
