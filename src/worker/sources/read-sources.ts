import { Problem } from "../../contract/problem.ts";
import { MAX_VALUE_BYTES } from "../../contract/secret.ts";
import { type KeptSource, sourceOfText } from "../../contract/source.ts";
import { storeAllows } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { markValue } from "../envelope/mark-value.ts";
import { oneLeads } from "../leases/one-leads.ts";
import type { Unread } from "../secrets/read-values.ts";
import { requireFits } from "../secrets/require-fits.ts";
import type { SourcedSecret, SourcedValue, SourceReader } from "../secrets/sources.ts";
import { type OpenNeeds, openStore } from "../stores/open-store.ts";
import { parseExactly } from "../stores/parse-exactly.ts";
import { type FoundStore, findStore } from "../stores/read-stores.ts";
import { REFUSAL_WORDS } from "../stores/refusal-words.ts";
import { type StoreDriver, type StoredValue, StoreError, type StoreRefusal } from "../stores/store-driver.ts";
import { textOf } from "../stores/value-bytes.ts";
import { recordFailure, UnreleasedError } from "../transaction/record-failure.ts";
import { forget, keepSource, keptSourcesOf, openSource } from "./kept-sources.ts";

/** How many values of stores one call reads at the same time, and how long a call waits for another that reads the same, in milliseconds. */
const AT_ONCE = 6;
const FOLLOWS = 10_000;

/** The store does not answer now, and may have the value all the same. */
const AWAY: ReadonlySet<StoreRefusal> = new Set(["unreachable", "too-slow", "throttled"]);
/** What is about the caller, or about Keyhole's own storage, and not about the store. */
const NOT_THE_STORES: ReadonlySet<string> = new Set(["unauthenticated", "rate-limited", "storage-unavailable", "internal"]);

/**
 * Reads the values of secrets from their stores, or gives again what was read within the store's `refresh_seconds`. That the store
 * lets the secret's scope have the key is looked at each time. What the store was asked with is on record before that leaves
 * (`store.read`), once in a call for each store that has to be asked.
 */
export function sourceReader(needs: OpenNeeds): SourceReader {
  return {
    async read(caller, secrets) {
      const call: Call = { stores: new Map(), drivers: new Map(), away: new Map() };
      const values: (SourcedValue | Unread)[] = [];
      for (let from = 0; from < secrets.length; from += AT_ONCE) {
        values.push(...(await Promise.all(secrets.slice(from, from + AT_ONCE).map((secret) => readOne(needs, caller, secret, call)))));
        // How large they are is known only now: what is too large for an answer does not fill the isolate's memory.
        requireFits(values.map((value) => ("bytes" in value ? value.bytes.length : 0)));
      }
      return values;
    },
  };
}

/** What one call has found out. */
interface Call {
  readonly stores: Map<string, Promise<FoundStore | undefined>>;
  readonly drivers: Map<string, Promise<StoreDriver>>;
  /** The stores that did not answer: they are not waited for again. */
  readonly away: Map<string, StoreError>;
}

async function readOne(needs: OpenNeeds, caller: Caller, { org, scope, bytes }: SourcedSecret, call: Call): Promise<SourcedValue | Unread> {
  const source = sourceOfText(new TextDecoder().decode(bytes));
  if (!source) return unread("The secret's source is none that is known here.");
  // A store is its organization's: what is built in comes from none.
  const found = org === caller.org ? await once(call.stores, source.store, () => findStore(needs, caller, source.store)) : undefined;
  if (!found || !storeAllows(found.definition, scope, source.key)) return unread(`The store ${source.store} does not let ${scope} have this key.`);
  try {
    return await readFrom(needs, caller, found, source, call);
  } catch (error) {
    if (error instanceof StoreError) return unread(`The store ${source.store} does not give the value: ${REFUSAL_WORDS[error.refusal]}.`);
    if (error instanceof UnreleasedError) return unread(`The credentials of the store ${source.store} cannot be used.`);
    if (error instanceof Problem && !NOT_THE_STORES.has(error.code)) return unread(`The store ${source.store} cannot be used: ${error.code}.`);
    throw error;
  }
}

/** Opens a store; that its credentials did not leave is on record once, however many secrets need them. */
async function open(needs: OpenNeeds, caller: Caller, found: FoundStore): Promise<StoreDriver> {
  try {
    return await openStore(needs, caller, found, "store.read");
  } catch (error) {
    if (error instanceof UnreleasedError) await recordFailure(needs, caller, error.failure);
    throw error;
  }
}

async function readFrom(needs: OpenNeeds, caller: Caller, store: FoundStore, source: KeptSource, call: Call): Promise<SourcedValue> {
  const { row, definition } = store;
  const kept = keptSourcesOf(needs.keyring);
  const name = JSON.stringify([
    caller.org,
    row.name,
    row.revision,
    row.created_at,
    source.key,
    source.field ?? null,
    source.version ?? null,
    source.written ?? null,
  ]);
  const now = needs.now.getTime();
  const within = (seconds: number) => openSource(kept, name, now - seconds * 1000);
  const again = () => within(definition.refresh_seconds);
  const whileAway = async (error: StoreError): Promise<SourcedValue> => {
    const stale = await within(definition.refresh_seconds + definition.stale_seconds);
    if (stale) return stale;
    throw error;
  };
  const away = call.away.get(row.name);
  if (away) return (await again()) ?? whileAway(away);
  const lead = async (): Promise<SourcedValue> => {
    try {
      const driver = await once(call.drivers, row.name, () => open(needs, caller, store));
      const until = now + definition.refresh_seconds * 1000;
      const value = { ...(await sourcedValue(needs.keyring, source, await driver.get(source.key, source.version))), until };
      if (definition.refresh_seconds + definition.stale_seconds > 0) await keepSource(kept, caller.org, name, value, now);
      return value;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (AWAY.has(error.refusal)) {
        call.away.set(row.name, error);
        return whileAway(error);
      }
      forget(kept, name);
      throw error;
    }
  };
  return oneLeads(kept, { clock: () => now, defer: needs.defer }, name, again, lead, FOLLOWS);
}

/** @throws {StoreError} `reply` where there is no such value, or one that no secret can have. */
async function sourcedValue(keyring: Keyring, { field }: KeptSource, stored: StoredValue | undefined): Promise<Omit<SourcedValue, "until">> {
  if (!stored) throw new StoreError("name");
  const bytes = field === undefined ? stored.value : fieldOf(stored, field);
  if (bytes.length === 0 || bytes.length > MAX_VALUE_BYTES) throw new StoreError("too-large");
  return { bytes, encoding: textOf(bytes) === undefined ? "base64" : "utf8", version: stored.version, mark: await markValue(keyring, bytes) };
}

/** A member of the object that a store keeps, or that the value is; one that is no text is its JSON. */
function fieldOf({ value, fields }: StoredValue, field: string): Uint8Array {
  const object = fields ?? objectIn(value);
  if (!object || !Object.hasOwn(object, field)) throw new StoreError("name");
  const member = object[field];
  return new TextEncoder().encode(typeof member === "string" ? member : JSON.stringify(member));
}

function objectIn(value: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed = parseExactly(textOf(value) ?? "");
    return typeof parsed === "object" && parsed !== null && !Array.isArray(parsed) ? (parsed as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function unread(detail: string): Unread {
  return { reason: "store-unavailable", problem: new Problem("store-unavailable", detail, { headers: { "Retry-After": "5" } }) };
}

function once<T>(known: Map<string, Promise<T>>, name: string, find: () => Promise<T>): Promise<T> {
  const found = known.get(name) ?? find();
  known.set(name, found);
  return found;
}
