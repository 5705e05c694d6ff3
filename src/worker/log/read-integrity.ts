import type { Integrity } from "../../contract/integrity.ts";
import { formatTime } from "../../contract/time.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { type StatementRow, selectStatement } from "../audit/statements.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type RegistryStatement, type RowsStatement, readStatement, registryStatementSchema, rowsStatementSchema, runStatementSchema } from "./statement.ts";

/** How long a finding holds, in milliseconds: the scheduled run makes one each minute, so an older one was put back, or there are no runs. */
const HOLDS = 300_000;
const DAY = 86_400_000;

interface Needs {
  readonly db: D1Database;
  readonly logKeys: LogKeys;
  readonly now: Date;
}

/** What scheduled runs have noted. */
interface Noted {
  readonly integrity: Integrity;
  /** The retention in force; `null` before the first run. */
  readonly retentionDays: number | null;
}

/**
 * What the last scheduled run found of the audit logs and of rows, as it signed it, and which retention it went by.
 *
 * @throws {Problem} `storage-unavailable`.
 */
export async function readIntegrity({ db, logKeys, now }: Needs): Promise<Noted> {
  const [runs, findings, inventories] = await runBatch(
    db,
    (["run", "registry", "rows"] as const).map((name) => selectStatement(db, name)),
  );
  const run = await readStatement(logKeys, runStatementSchema, rowsOf<StatementRow>(runs)[0]);
  const found = await readStatement(logKeys, registryStatementSchema, rowsOf<StatementRow>(findings)[0]);
  const finding = found === "bent" ? undefined : found;
  const rows = await readStatement(logKeys, rowsStatementSchema, rowsOf<StatementRow>(inventories)[0]);
  const retention = run === "bent" ? undefined : run?.retention;
  const next = retention?.next;
  const integrity: Integrity = {
    registry: finding && now.getTime() - Date.parse(finding.judged_at) <= HOLDS ? finding.verdict : "unknown",
    ...heldBy(finding),
    rows: inventoryOf(rows === "bent" ? undefined : rows, now),
    shorter_retention: next ? { days: next.days, from: formatTime(Date.parse(next.noted_at) + DAY) } : null,
  };
  return { integrity, retentionDays: retention?.days ?? null };
}

function heldBy(finding: RegistryStatement | undefined): Pick<Integrity, "logs" | "forged_objects" | "judged_at" | "lost_at"> {
  if (!finding) return { logs: 0, forged_objects: 0, judged_at: null, lost_at: null };
  const { logs, refused, judged_at, lost_at } = finding;
  return { logs, forged_objects: refused, judged_at, lost_at };
}

function inventoryOf(found: RowsStatement | undefined, now: Date): Integrity["rows"] {
  if (!found) return { verdict: "unknown", faults: 0, compared_since: null, lost_at: null };
  const { judged_at, verdict, faults, since, lost_at } = found;
  return { verdict: now.getTime() - Date.parse(judged_at) <= HOLDS ? verdict : "unknown", faults, compared_since: since, lost_at };
}
