import { checkpointPayloadSchema, parsePayload, type Reason } from "../../contract/audit.ts";
import { goesOn, judgeHead } from "../../contract/judge-log.ts";
import type { Caller } from "../access/caller.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { verifyPayload } from "../access/sign-payload.ts";
import { type LogRow, type NumberedLink, selectLinks, selectLog } from "../audit/logs.ts";
import { type StatementRow, selectStatement } from "../audit/statements.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { rowsOf } from "../store/run-batch.ts";
import { readForCaller } from "../transaction/run-for-caller.ts";
import { isLink } from "./find-accused.ts";
import { isLost } from "./judge-logs.ts";
import { readHead } from "./log-head.ts";
import { logState } from "./log-state.ts";
import { entriesOf, type Registry } from "./registry.ts";
import { readStatement, registryStatementSchema } from "./statement.ts";

interface Needs {
  readonly db: D1Database;
  readonly keyring: Keyring;
  readonly logKeys: LogKeys;
  readonly now: Date;
}

/** What the registry shows of a log; without a reason nothing. */
export interface JudgedLog {
  readonly reason?: Extract<Reason, "behind" | "differs" | "registry-lost">;
  /** The first event that is not there, or not the same. */
  readonly first_bad: number | null;
}

/** Judges the caller's log by the registry, which was read before. */
export async function judgeOne(needs: Needs, caller: Caller, registry: Registry): Promise<JudgedLog> {
  const { db, keyring, logKeys, now } = needs;
  const { org } = caller;
  const entries = await entriesOf(registry, keyring, org);
  const places = entries.map(({ number, generation }) => ({ org, number, generation }));
  const [logs, links, statements] = await readForCaller({ db, keyring }, caller, [
    selectLog(db, org),
    selectLinks(db, places),
    selectStatement(db, "registry"),
  ]);
  const [row] = rowsOf<LogRow>(logs);
  const head = (await readHead(logKeys, org, row?.head ?? null))?.data;
  for (const [n, entry] of entries.entries()) {
    const link = rowsOf<NumberedLink>(links)[n];
    const accusation = head ? judgeHead(entry, head) : "differs";
    if (accusation === "behind") return { reason: "behind", first_bad: ((row && (await logState(logKeys, row))) || { last_seq: 0 }).last_seq + 1 };
    const other = accusation !== null || (head && goesOn(entry, head) && entry.number > 0 && !(await isLink(entry, link)));
    if (other) return { reason: "differs", first_bad: (await firstOf(logKeys, link)) ?? 1 };
  }
  const was = await readStatement(logKeys, registryStatementSchema, rowsOf<StatementRow>(statements)[0]);
  return isLost(registry, was === "bent" ? undefined : was, now) ? { reason: "registry-lost", first_bad: null } : { first_bad: null };
}

/** The first event that the checkpoint in another one's place seals. */
async function firstOf(keys: LogKeys, link: NumberedLink | undefined): Promise<number | undefined> {
  const signed = link?.checkpoint ? await verifyPayload(keys, "keyhole-checkpoint", link.checkpoint) : undefined;
  return parsePayload(checkpointPayloadSchema, signed?.payload)?.data.first_seq;
}
