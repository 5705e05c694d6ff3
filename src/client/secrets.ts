import { DELETED_UNTIL_HEADER } from "../contract/deleted-until.ts";
import { LostReply } from "./lost-reply.ts";
import { pages } from "./pages.ts";
import { readNothing, readReply, tagOf } from "./read-reply.ts";
import { importObjectReply, importReply, secretBody, secretPage, setSecretReply, versionPage } from "./readers/secrets.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type {
  Conditions,
  Deleted,
  DeleteOptions,
  ImportObjectOptions,
  ImportObjectReply,
  ImportOptions,
  ImportReply,
  ListSecretsQuery,
  ObjectMember,
  SecretBody,
  SecretCalls,
  SecretFields,
  SecretPage,
  SetOptions,
  SetSecretReply,
  Source,
  TaggedSecret,
  Undeleting,
  Value,
  VersionPage,
} from "./types/secrets.ts";
import { valueFields } from "./value-fields.ts";

/** Secrets: what people write, and what may be read of it. No reply holds a value. */
export function secretCalls(send: Send): SecretCalls {
  const at = (scope: string, name: string) => `/v1/scopes/${encodeURIComponent(scope)}/secrets/${encodeURIComponent(name)}`;
  const byId = (id: string) => `/v1/secrets/${encodeURIComponent(id)}`;
  const list = async (query: ListSecretsQuery = {}, options: CallOptions = {}): Promise<SecretPage> =>
    readReply(await send({ method: "GET", path: "/v1/secrets", query: { ...query }, ...options }), secretPage);

  return {
    async set(scope: string, name: string, value: Value, fields: SecretFields = {}, options: SetOptions = {}): Promise<SetSecretReply> {
      const json = { ...valueFields(value), ...fields };
      return readReply(await send({ method: "PUT", path: at(scope, name), query: undeleting(options), json, ...conditional(options) }), setSecretReply);
    },
    async setSource(scope: string, name: string, source: Source, fields: SecretFields = {}, options: SetOptions = {}): Promise<SetSecretReply> {
      const json = { source, ...fields };
      return readReply(await send({ method: "PUT", path: at(scope, name), query: undeleting(options), json, ...conditional(options) }), setSecretReply);
    },
    async create(scope: string, name: string, value: Value, fields: SecretFields = {}, options: CallOptions & Undeleting = {}): Promise<SecretBody> {
      const json = { scope, name, ...valueFields(value), ...fields };
      const { undelete, ...call } = options;
      return readReply(await send({ method: "POST", path: "/v1/secrets", query: undeleting({ undelete }), json, ...call }), secretBody);
    },
    async get(scope: string, name: string, options: CallOptions = {}): Promise<SecretBody> {
      return readReply(await send({ method: "GET", path: at(scope, name), ...options }), secretBody);
    },
    async getTagged(scope: string, name: string, options: CallOptions = {}): Promise<TaggedSecret> {
      const reply = await send({ method: "GET", path: at(scope, name), ...options });
      const etag = tagOf(reply);
      return { secret: await readReply(reply, secretBody), etag };
    },
    async getById(id: string, options: CallOptions = {}): Promise<SecretBody> {
      return readReply(await send({ method: "GET", path: byId(id), ...options }), secretBody);
    },
    async patch(id: string, { value, ...fields }: SecretFields & { value?: Value }, options: Conditions = {}): Promise<SetSecretReply> {
      const json = { ...(value !== undefined && valueFields(value)), ...fields };
      return readReply(await send({ method: "PATCH", path: byId(id), json, ...conditional(options) }), setSecretReply);
    },
    async delete(scope: string, name: string, options: DeleteOptions = {}): Promise<Deleted> {
      return readDeleted(await send({ method: "DELETE", path: at(scope, name), query: purging(options), ...conditional(options) }));
    },
    async deleteById(id: string, options: DeleteOptions = {}): Promise<Deleted> {
      return readDeleted(await send({ method: "DELETE", path: byId(id), query: purging(options), ...conditional(options) }));
    },
    async undelete(id: string, options: Conditions = {}): Promise<SetSecretReply> {
      return readReply(await send({ method: "POST", path: `${byId(id)}/undelete`, ...conditional(options) }), setSecretReply);
    },
    list,
    listAll: (query: ListSecretsQuery = {}, options: CallOptions = {}): AsyncGenerator<SecretBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...query, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.secrets, next: page.next_cursor };
      }),
    async versions(id: string, query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<VersionPage> {
      return readReply(await send({ method: "GET", path: `${byId(id)}/versions`, query, ...options }), versionPage);
    },
    async rollback(id: string, version: number, options: Conditions = {}): Promise<SetSecretReply> {
      return readReply(await send({ method: "POST", path: `${byId(id)}/rollback`, json: { version }, ...conditional(options) }), setSecretReply);
    },
    async destroyVersion(id: string, version: number, options: Conditions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: `${byId(id)}/versions/${version}`, ...conditional(options) }));
    },
    async import(scope: string, secrets: Readonly<Record<string, string>> | string, options: ImportOptions = {}): Promise<ImportReply> {
      const { dryRun = false, allow, skip, signal } = options;
      const query = { allow, skip, dry_run: String(dryRun), ...undeleting(options) };
      const request =
        typeof secrets === "string"
          ? { query: { scope, ...query }, body: secrets, headers: { "Content-Type": "text/plain; charset=utf-8" } }
          : { query, json: { scope, secrets } };
      return readReply(await send({ method: "POST", path: "/v1/import", ...request, signal }), importReply);
    },
    async importObject(scope: string, members: readonly ObjectMember[], options: ImportObjectOptions = {}): Promise<ImportObjectReply> {
      const { customMetadata, dryRun = false, overwrite = false, signal } = options;
      const json = { scope, members, ...(customMetadata && { custom_metadata: customMetadata }) };
      const query = { dry_run: String(dryRun), overwrite: String(overwrite) };
      return readReply(await send({ method: "POST", path: "/v1/import/object", query, json, repeatable: true, signal }), importObjectReply);
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
