import { type AnchorHead, type AnchorPayload, isAhead, type LogState, REGISTRY_VERSION } from "../../contract/audit-registry.ts";
import { formatTime } from "../../contract/time.ts";
import type { Caller } from "../access/caller.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { signPayload } from "../access/sign-payload.ts";
import { type LogRow, selectLog, selectLogs } from "../audit/logs.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { rowsOf } from "../store/run-batch.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { logState } from "./log-state.ts";
import { readRegistry } from "./read-registry.ts";
import { entriesOf, type Registry } from "./registry.ts";

/** How many logs one anchor has. */
const LOGS = 500;

interface Needs {
  readonly db: D1Database;
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
  readonly logKeys: LogKeys;
  readonly platformOrg: string | null;
  readonly now: Date;
}

/** An anchor, and after which organization the next one begins; `null` when there is none. */
export interface AnchorPage {
  readonly anchor: string;
  readonly next: string | null;
}

/**
 * Signs how far logs have come, to be kept elsewhere: all of them for the operator's own organization, its own for any
 * other one. Of a log that is behind what the registry says, the anchor says what the registry does.
 *
 * @throws {Problem} `forbidden`, `storage-unavailable`, also when the registry cannot be read.
 */
export async function readAnchor(needs: Needs, caller: Caller, after: string): Promise<AnchorPage> {
  caller.require("audit:read");
  const { db, keyring, logKeys, platformOrg, now } = needs;
  const registry = await readRegistry(needs);
  const all = caller.org === platformOrg;
  const [found] = await readForCaller({ db, keyring }, caller, [all ? selectLogs(db, after, LOGS + 1) : selectLog(db, caller.org)]);
  const rows = rowsOf<LogRow>(found);
  const page = rows.slice(0, LOGS);
  const heads = await Promise.all(page.map((row) => anchorHead(needs, registry, row)));
  const payload: AnchorPayload = { version: REGISTRY_VERSION, at: formatTime(now.getTime()), heads: heads.flatMap((head) => head ?? []) };
  const next = rows.length > LOGS ? (page.at(-1)?.org ?? null) : null;
  return { anchor: await signPayload(logKeys, "keyhole-anchor", payload), next };
}

async function anchorHead({ keyring, logKeys }: Needs, registry: Registry, row: LogRow): Promise<AnchorHead | undefined> {
  const entries = await entriesOf(registry, keyring, row.org);
  const states = [await logState(logKeys, row), ...entries].flatMap((state) => state ?? []);
  const furthest = states.reduce<LogState | undefined>((a, b) => (a === undefined || isAhead(b, a) ? b : a), undefined);
  if (!furthest) return undefined;
  const { generation, number, checkpoint, last_seq, removed_to } = furthest;
  return { org: row.org, generation, number, checkpoint, last_seq, removed_to };
}
