import * as z from "zod";
import { fromAzureName, toAzureName } from "./azure-names.ts";
import { type AzureStore, vaultAddress } from "./azure-store.ts";
import { callStore, isSuccess, jsonOf, pause, readJson, requireJson, type StoreReply } from "./call-store.ts";
import { entraAccess } from "./entra-access.ts";
import {
  type DriverNeeds,
  type StoreCredentials,
  type StoreDriver,
  type StoredValue,
  StoreError,
  type StorePage,
  type StoreRefusal,
  type StoreVersion,
  type StoreWrite,
} from "./store-driver.ts";
import { bytesOf, bytesOfBase64, textOf } from "./value-bytes.ts";
import { withAccess } from "./with-access.ts";

const API = "7.4";
const VERSION = /^[0-9a-fA-F]{32}$/;
/** The largest value, in bytes: what Azure calls 25 KB. */
const MOST = 25_600;
/** What says of a value that it is bytes, in base64. */
const BINARY = "application/octet-stream;encoding=base64";
/** The names of tags: of the operation that has written a version, and the name as Keyhole has it. */
const OPERATION = "keyhole-op";
const NAME = "keyhole-name";
/** How many versions, 25 to a page, are looked at for one that an operation has written. */
const MOST_PAGES = 20;
/** How often it is looked whether a name has come back, and how long is waited between, in milliseconds. */
const MOST_LOOKS = 10;
const BETWEEN_LOOKS = 2_000;

const tagsSchema = z.record(z.string(), z.string()).nullish();
const secretSchema = z.object({ id: z.string(), value: z.string(), contentType: z.string().nullish(), tags: tagsSchema });
const pageSchema = z.object({ value: z.array(z.object({ id: z.string(), tags: tagsSchema })).nullish(), nextLink: z.string().nullish() });
const deletedSchema = z.object({ id: z.string() });
const errorSchema = z.object({ error: z.object({ code: z.string().optional(), innererror: z.object({ code: z.string() }).nullish() }) });

interface Asked {
  readonly method: "GET" | "PUT" | "POST" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: object;
}
type Ask = (asked: Asked) => Promise<StoreReply>;
interface Vault {
  readonly url: URL;
  readonly ask: Ask;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/**
 * Azure Key Vault (https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups). Names are those of
 * {@link toAzureName}. Azure has no idempotent write and no condition: a write is marked with its operation, and looked for
 * before it is made, so that the same one again is none; between that look and the write somebody else's may go lost.
 */
export function openAzureKeyVault(store: AzureStore, credentials: StoreCredentials | undefined, needs: DriverNeeds): StoreDriver {
  const { url, cloud } = vaultAddress(store, needs.rules);
  const source = entraAccess(store, cloud, credentials, needs);
  const ask: Ask = ({ method, path, query = {}, body }) =>
    withAccess(needs, source, async (token) => {
      const address = new URL(`${path}?${new URLSearchParams({ "api-version": API, ...query })}`, url);
      const headers = new Headers({ Accept: "application/json", Authorization: `Bearer ${token}`, ...(body && { "Content-Type": "application/json" }) });
      const call = { url: address, method, headers, body: body ? JSON.stringify(body) : null, repeatable: method !== "PUT", changes: method !== "GET" };
      const reply = await callStore(needs, call);
      if (reply.status === 401) throw new StoreError("credential");
      return reply;
    });
  const vault = { url, ask, pause: needs.pause ?? pause };
  return {
    get: async (key, version) => (await read(vault, azureName(key), version))?.stored,
    put: (key, value, write) => put(vault, key, value, write),
    list: (prefix, cursor) => list(vault, prefix, cursor),
    find: (key, operation) => find(vault, key, operation),
    delete: (key) => remove(vault, key),
    deleted: (key) => findDeleted(vault, key),
    restore: (key) => restore(vault, key),
  };
}

interface Found {
  readonly stored: StoredValue;
  readonly operation: string | undefined;
}

async function read({ url, ask }: Vault, name: string, version: string | undefined): Promise<Found | undefined> {
  if (version !== undefined && !VERSION.test(version)) return undefined;
  const reply = await ask({ method: "GET", path: `secrets/${name}/${version ?? ""}` });
  if (reply.status === 404) return undefined;
  const { id, value, contentType, tags } = readJson(orThrow(reply), secretSchema);
  const bytes = contentType === BINARY ? bytesOfBase64(value) : bytesOf(value);
  const found = versionOf(url, id, name);
  if (!bytes || (version !== undefined && version.toLowerCase() !== found)) throw new StoreError("reply");
  return { stored: { value: bytes, version: found }, operation: tags?.[OPERATION] };
}

async function put(vault: Vault, key: string, value: Uint8Array, { operation, ifVersion }: StoreWrite): Promise<StoreVersion> {
  const name = azureName(key);
  const text = textOf(value);
  const written = text ?? value.toBase64();
  if (bytesOf(written).byteLength > MOST) throw new StoreError("too-large");
  const current = await read(vault, name, undefined);
  if (current?.operation === operation) return { version: current.stored.version };
  const before = current && (await findVersion(vault, name, operation));
  if (before !== undefined) return { version: before };
  if (ifVersion !== undefined && (ifVersion?.toLowerCase() ?? undefined) !== current?.stored.version) throw new StoreError("conflict");
  const tags = { [OPERATION]: operation, [NAME]: key };
  const body = { value: written, tags, ...(text === undefined && { contentType: BINARY }) };
  const reply = orThrow(await vault.ask({ method: "PUT", path: `secrets/${name}`, body }));
  return { version: versionOf(vault.url, readJson(reply, secretSchema).id, name) };
}

/** The version that an operation has written, unless it is too far back. */
async function findVersion({ url, ask }: Vault, name: string, operation: string): Promise<string | undefined> {
  const path = `secrets/${name}/versions`;
  let next: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const reply = orThrow(await ask({ method: "GET", path, query: pageQuery(next) }));
    const { value, nextLink } = readJson(reply, pageSchema);
    const found = value?.find(({ tags }) => tags?.[OPERATION] === operation);
    if (found) return versionOf(url, found.id, name);
    next = cursorOf(url, path, nextLink);
    if (next === undefined) return undefined;
  }
  return undefined;
}

/** Azure does not select: a page is what is left of 25 names. */
async function list({ url, ask }: Vault, prefix: string, cursor: string | undefined): Promise<StorePage> {
  const path = "secrets";
  const { value, nextLink } = readJson(orThrow(await ask({ method: "GET", path, query: pageQuery(cursor) })), pageSchema);
  const names = (value ?? []).map(({ id }) => fromAzureName(partsOf(url, id).name));
  const next = cursorOf(url, path, nextLink);
  return { keys: names.filter((name) => name?.startsWith(prefix)) as string[], ...(next !== undefined && { next }) };
}

async function remove({ ask }: Vault, key: string): Promise<boolean> {
  const path = `secrets/${azureName(key)}`;
  const there = await ask({ method: "GET", path: `${path}/versions`, query: pageQuery(undefined) });
  if (there.status === 404 || !readJson(orThrow(there), pageSchema).value?.length) return false;
  const reply = await ask({ method: "DELETE", path });
  // It was there a moment ago: this call has deleted it, and was sent twice.
  if (reply.status !== 404) orThrow(reply);
  return true;
}

async function find(vault: Vault, key: string, operation: string): Promise<StoreVersion | undefined> {
  const name = azureName(key);
  const there = await vault.ask({ method: "GET", path: `secrets/${name}/versions`, query: pageQuery(undefined) });
  if (there.status === 404) return undefined;
  const version = await findVersion(vault, name, operation);
  return version === undefined ? undefined : { version };
}

async function findDeleted({ url, ask }: Vault, key: string): Promise<StoreVersion | undefined> {
  const name = azureName(key);
  const reply = await ask({ method: "GET", path: `deletedsecrets/${name}` });
  if (reply.status === 404) return undefined;
  return { version: versionOf(url, readJson(orThrow(reply), deletedSchema).id, name) };
}

/** Azure goes on with that after its answer: it is waited for, because until then nothing can be written. */
async function restore({ ask, pause }: Vault, key: string): Promise<boolean> {
  const name = azureName(key);
  const reply = await ask({ method: "POST", path: `deletedsecrets/${name}/recover` });
  if (reply.status !== 404) {
    orThrow(reply);
    for (let looks = 0; looks < MOST_LOOKS; looks++) {
      // Whoever may not look is told so, and then it is there.
      if ((await ask({ method: "GET", path: `secrets/${name}/` })).status !== 404) return true;
      await pause(BETWEEN_LOOKS);
    }
    throw new StoreError("too-slow");
  }
  const there = await ask({ method: "GET", path: `secrets/${name}/versions`, query: pageQuery(undefined) });
  return there.status !== 404 && (readJson(orThrow(there), pageSchema).value?.length ?? 0) > 0;
}

function pageQuery(cursor: string | undefined): Record<string, string> {
  return { maxresults: "25", ...(cursor !== undefined && { $skiptoken: cursor }) };
}

/** Of the address of a next page only the mark is taken: a vault does not say where its access token is sent. */
function cursorOf(url: URL, path: string, nextLink: string | null | undefined): string | undefined {
  if (nextLink === null || nextLink === undefined || nextLink === "") return undefined;
  const next = URL.canParse(nextLink) ? new URL(nextLink) : undefined;
  const cursor = next?.searchParams.get("$skiptoken");
  if (next?.origin !== url.origin || next.pathname.toLowerCase() !== `/${path}` || !cursor || cursor.length > 8192) throw new StoreError("reply");
  return cursor;
}

function azureName(key: string): string {
  const name = toAzureName(key);
  if (name === undefined) throw new StoreError("name");
  return name;
}

/** The version in a secret's id, which has to be that of the name that was asked for. */
function versionOf(url: URL, id: string, asked: string): string {
  const { name, version } = partsOf(url, id);
  if (name.toLowerCase() !== asked || version === undefined) throw new StoreError("reply");
  return version;
}

/** Name and version in an id, `https://VAULT/secrets/NAME/VERSION`. */
function partsOf({ origin }: URL, id: string): { readonly name: string; readonly version: string | undefined } {
  const address = URL.canParse(id) ? new URL(id) : undefined;
  const [, name, version] = /^\/secrets\/([0-9A-Za-z-]{1,127})(?:\/([0-9A-Fa-f]{32}))?$/.exec(address?.pathname ?? "") ?? [];
  if (address?.origin !== origin || name === undefined) throw new StoreError("reply");
  return { name, version: version?.toLowerCase() };
}

function orThrow(reply: StoreReply): StoreReply {
  if (isSuccess(reply)) return requireJson(reply);
  throw new StoreError(refusalOf(reply));
}

function refusalOf(reply: StoreReply): StoreRefusal {
  if (reply.status === 403) return "permission";
  if (reply.status === 413) return "too-large";
  const { error } = errorSchema.safeParse(jsonOf(reply)).data ?? {};
  if (reply.status === 409) return /^ObjectIs(?:Deleted|BeingDeleted)/.test(error?.innererror?.code ?? "") ? "deleted-name" : "conflict";
  return reply.status === 400 && error?.code === "BadParameter" ? "name" : "reply";
}
