import * as z from "zod";
import { parsePayload } from "../../contract/audit.ts";
import { timeSchema } from "../../contract/time.ts";
import type { LogKeys } from "../access/log-keys.ts";
import { signPayload, verifyPayload } from "../access/sign-payload.ts";
import { putStatement, type StatementRow } from "../audit/statements.ts";

/**
 * When scheduled runs ran, and which retention is in force. They are one statement, so that an older one that is put back
 * also says that the last run was long ago.
 */
export const runStatementSchema = z.object({
  name: z.literal("run"),
  at: timeSchema,
  /** Since when runs have followed each other without a gap. */
  since: timeSchema,
  retention: z.object({ days: z.int().min(1), next: z.object({ days: z.int().min(1), noted_at: timeSchema }).nullable() }),
});
export type RunStatement = z.infer<typeof runStatementSchema>;

/** What was last put into the registry, and what the last run found there. */
export const registryStatementSchema = z.object({
  name: z.literal("registry"),
  /** When the newest object was made. */
  put_at: timeSchema.nullable(),
  /** When it was last found that objects were gone. */
  lost_at: timeSchema.nullable(),
  judged_at: timeSchema,
  verdict: z.enum(["ok", "failed", "lost", "unavailable"]),
  /** Logs that are behind it, or differ. */
  logs: z.int().min(0),
  /** Objects that are not what was signed. */
  refused: z.int().min(0),
});
export type RegistryStatement = z.infer<typeof registryStatementSchema>;

/** What the last run found of rows by what is on record of them. */
export const rowsStatementSchema = z.object({
  name: z.literal("rows"),
  judged_at: timeSchema,
  verdict: z.enum(["ok", "failed", "lost"]),
  /** Rows that are not what they should be. */
  faults: z.int().min(0),
  /** Since when all rows have been compared; `null` when not all have been yet. */
  since: timeSchema.nullable(),
  /** When something was put on record first, and when it was last found to be gone. */
  begun_at: timeSchema,
  lost_at: timeSchema.nullable(),
});
export type RowsStatement = z.infer<typeof rowsStatementSchema>;

type Statement = RunStatement | RegistryStatement | RowsStatement;

/** What a statement says: `"bent"` when it is not what was signed, `undefined` when there is none. */
export async function readStatement<T extends z.ZodObject>(keys: LogKeys, schema: T, row: StatementRow | undefined): Promise<z.infer<T> | "bent" | undefined> {
  if (!row) return undefined;
  const signed = await verifyPayload(keys, "keyhole-statement", row.jws);
  return parsePayload(schema, signed?.vouched ? signed.payload : undefined)?.data ?? "bent";
}

/** Signs a statement and puts it in the place of the one before. */
export async function writeStatement(db: D1Database, keys: LogKeys, statement: Statement): Promise<D1PreparedStatement> {
  return putStatement(db, statement.name, await signPayload(keys, "keyhole-statement", statement));
}
