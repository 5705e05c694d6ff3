import * as z from "zod";
import { isSuccess, jsonOf, readJson } from "./call-store.ts";
import { parseExactly } from "./parse-exactly.ts";
import {
  type DriverNeeds,
  type StoreCredentials,
  type StoreDriver,
  type StoredValue,
  StoreError,
  type StorePage,
  type StoreVersion,
  type StoreWrite,
} from "./store-driver.ts";
import { type AskVault, openVaultAccess } from "./vault-access.ts";
import { fromVaultData, operationsOf, toVaultData, type VaultData, versionWritten } from "./vault-data.ts";
import { definedPath, encodePath, type VaultStore } from "./vault-store.ts";

const VERSION = /^[1-9]\d{0,8}$/;
/** How often a write begins anew because somebody else's came first. */
const MOST_TRIES = 3;
/** How many names of one folder are looked at: with the folder's own before each they are many times as long as the reply. */
const MOST_NAMES = 50_000;

const metadataSchema = z.object({ version: z.int().min(0) });
const dataSchema = z.object({ data: z.object({ data: z.record(z.string(), z.unknown()).nullable(), metadata: metadataSchema }) });
const writtenSchema = z.object({ data: metadataSchema });
const listSchema = z.object({ data: z.object({ keys: z.array(z.string()) }) });
const cursorSchema = z.array(z.string()).min(1);

interface Engine {
  readonly mount: string;
  readonly ask: AskVault;
}

/** A version as it is: its number, and its data, unless it is deleted. */
interface Read {
  readonly number: number;
  readonly data: VaultData | null;
}

/**
 * The key/value engine, version 2, of Vault or OpenBao (https://openbao.org/api-docs/secret/kv/kv-v2/). A value is an object
 * there ({@link toVaultData}). A write is made in the place of the version that was read before (`cas`), so that none goes lost.
 * A deletion is one of the current version, as `vault kv delete` makes it: the name goes on to be listed.
 */
export function openVault(store: VaultStore, credentials: StoreCredentials | undefined, needs: DriverNeeds): StoreDriver {
  const engine = { mount: definedPath(store.mount), ask: openVaultAccess(store, credentials, needs) };
  return {
    get: (key, version) => get(engine, key, version),
    put: (key, value, write) => put(engine, key, value, write),
    list: (prefix, cursor) => list(engine, prefix, cursor),
    find: (key, operation) => find(engine, key, operation),
    delete: (key) => remove(engine, key),
    deleted: (key) => findDeleted(engine, key),
    restore: (key) => restore(engine, key),
  };
}

async function get(engine: Engine, key: string, version: string | undefined): Promise<StoredValue | undefined> {
  const path = pathOf(key);
  if (version !== undefined && !VERSION.test(version)) return undefined;
  const { number, data } = await read(engine, path, version);
  if (!data) return undefined;
  if (version !== undefined && Number(version) !== number) throw new StoreError("reply");
  return { ...fromVaultData(data), version: String(number) };
}

async function put(engine: Engine, key: string, value: Uint8Array, { operation, ifVersion }: StoreWrite): Promise<StoreVersion> {
  const path = pathOf(key);
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const { number, data } = await read(engine, path);
    const before = operationsOf(data);
    const written = versionWritten(before, operation);
    if (written !== undefined) return { version: written };
    if (ifVersion !== undefined && ifVersion !== (data ? String(number) : null)) throw new StoreError("conflict");
    const body = { data: toVaultData(value, operation, number + 1, before), options: { cas: number } };
    const reply = await engine.ask({ method: "POST", path: `${engine.mount}/data/${path}`, body, repeatable: false });
    if (isSuccess(reply)) return { version: String(readJson(reply, writtenSchema).data.version) };
    if (reply.status === 413) throw new StoreError("too-large");
    // Vault has no word of its own for a version that is no more the current one.
    if (reply.status !== 400) throw new StoreError("reply");
  }
  throw new StoreError("conflict");
}

/** One folder is a page: the cursor is the folders that are left, the next one last. */
async function list({ mount, ask }: Engine, prefix: string, cursor: string | undefined): Promise<StorePage> {
  const left = cursor === undefined ? [prefix.slice(0, prefix.lastIndexOf("/") + 1)] : readCursor(cursor);
  const folder = left.pop() ?? "";
  const path = folder === "" ? "" : `/${pathOf(folder.slice(0, -1))}`;
  const reply = await ask({ method: "GET", path: `${mount}/metadata${path}?list=true`, repeatable: true });
  const within = reply.status === 404 ? [] : readJson(reply, listSchema).data.keys;
  if (within.length > MOST_NAMES) throw new StoreError("endless");
  const names = within.map((name) => `${folder}${name}`);
  const folders = names.filter((name) => name.endsWith("/") && (name.startsWith(prefix) || prefix.startsWith(name)));
  left.push(...folders.toReversed());
  const keys = names.filter((name) => !name.endsWith("/") && name.startsWith(prefix));
  return { keys, ...(left.length > 0 && { next: JSON.stringify(left) }) };
}

async function remove(engine: Engine, key: string): Promise<boolean> {
  const path = pathOf(key);
  if (!(await read(engine, path)).data) return false;
  const { status } = await engine.ask({ method: "DELETE", path: `${engine.mount}/data/${path}`, repeatable: true });
  if (status !== 204) throw new StoreError("reply");
  return true;
}

async function find(engine: Engine, key: string, operation: string): Promise<StoreVersion | undefined> {
  const { data } = await read(engine, pathOf(key));
  const version = versionWritten(operationsOf(data), operation);
  return version === undefined ? undefined : { version };
}

async function findDeleted(engine: Engine, key: string): Promise<StoreVersion | undefined> {
  const { number, data } = await read(engine, pathOf(key));
  return data || number === 0 ? undefined : { version: String(number) };
}

async function restore(engine: Engine, key: string): Promise<boolean> {
  const path = pathOf(key);
  const { number, data } = await read(engine, path);
  if (data) return true;
  if (number === 0) return false;
  const reply = await engine.ask({ method: "POST", path: `${engine.mount}/undelete/${path}`, body: { versions: [number] }, repeatable: true });
  if (reply.status !== 204) throw new StoreError("reply");
  // One that was destroyed does not come back.
  return (await read(engine, path)).data !== null;
}

/** A version, the current one if none is named. Of one that is deleted Vault answers 404, and what is left of it. */
async function read({ mount, ask }: Engine, path: string, version?: string): Promise<Read> {
  const query = version === undefined ? "" : `?version=${version}`;
  const reply = await ask({ method: "GET", path: `${mount}/data/${path}${query}`, repeatable: true });
  if (reply.status === 404) return { number: dataSchema.safeParse(jsonOf(reply)).data?.data.metadata.version ?? 0, data: null };
  const { data } = readJson(reply, dataSchema, parseExactly);
  return { number: data.metadata.version, data: data.data };
}

function pathOf(key: string): string {
  const path = encodePath(key);
  if (path === undefined) throw new StoreError("name");
  return path;
}

function readCursor(cursor: string): string[] {
  try {
    return cursorSchema.parse(JSON.parse(cursor));
  } catch {
    throw new StoreError("name");
  }
}
