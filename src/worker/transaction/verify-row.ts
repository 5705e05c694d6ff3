import { Problem, storageUnavailable } from "../../contract/problem.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { judgeSeal, type SealFormat, sealRow } from "../envelope/row-seal.ts";
import { SEALED_TABLES, type SealedTableName } from "../store/sealed-tables.ts";
import type { SealingKeyring } from "./allow-sealing.ts";

declare const verified: unique symbol;
/** A row whose seal is its own; or, for as long as seals are not required, one that never had any. */
export type Verified<Row> = Row & { readonly [verified]: true };

/** A row with the seal that it is stored with. */
type WithSeal = { readonly seal: string | null };

/** A row that is not what was sealed: its table, and what names it there. */
export interface BrokenRow {
  readonly org: string;
  readonly table: SealedTableName;
  /** The values of the columns that name it. */
  readonly key: readonly (string | number)[];
}

/** Something stored is not what this deployment wrote. The call is refused, and nothing else takes its place. */
export class IntegrityProblem extends Problem {
  constructor(
    readonly row: BrokenRow,
    cause?: unknown,
  ) {
    super("integrity-failed", `A row of ${row.table} (${row.key.join(" ")}) is not what was written: it counts for nothing until an operator has seen to it.`, {
      cause,
    });
  }
}

/**
 * Checks that a row is what this deployment wrote.
 *
 * @throws {Problem} `integrity-failed` when it is not, `storage-unavailable` when its seal is under a key that is not in
 *   the keyring here.
 */
export async function verifyRow<Row extends WithSeal>(keyring: Keyring, table: SealedTableName, row: Row): Promise<Verified<Row>> {
  if (row.seal === null && !keyring.sealsRequired) return row as Verified<Row>;
  const verdict = await judgeSeal(keyring, SEAL_FORMATS[table], row, row.seal);
  if (verdict.outcome === "good") return row as Verified<Row>;
  const { outcome, error } = verdict;
  if (outcome === "broken") throw new IntegrityProblem(brokenRow(table, row), error);
  throw storageUnavailable(`A row of ${table} is sealed under the key ${error.keyId}, which is not in the keyring here.`, error);
}

/** {@link verifyRow} for each of several rows. */
export function verifyRows<Row extends WithSeal>(keyring: Keyring, table: SealedTableName, rows: readonly Row[]): Promise<Verified<Row>[]> {
  return Promise.all(rows.map((row) => verifyRow(keyring, table, row)));
}

/** The seal of a row that a verb has made. */
export function sealFor(keyring: SealingKeyring, table: SealedTableName, row: object): Promise<string> {
  return sealRow(keyring, SEAL_FORMATS[table], row as Readonly<Record<string, unknown>>);
}

/** The seal of a row that comes of a verified one. One that never had a seal gets none: `keyhole admin seal` gives it, to what a person confirms. */
export async function sealAgain(keyring: SealingKeyring, table: SealedTableName, was: Verified<WithSeal>, row: object): Promise<string | null> {
  return was.seal === null ? null : sealFor(keyring, table, row);
}

/** What names a row that is not well. */
export function brokenRow(table: SealedTableName, row: object): BrokenRow {
  const cells = row as Readonly<Record<string, unknown>>;
  return { org: String(cells.org ?? ""), table, key: SEALED_TABLES[table].key.map((column) => cells[column] as string | number) };
}

/** What the seals of each table cover, as the envelope takes it. */
export const SEAL_FORMATS = Object.fromEntries(
  Object.entries(SEALED_TABLES).map(([table, { format, deciding }]) => [
    table,
    { table, format, columns: Object.entries(deciding).map(([name, { since, default: was }]) => ({ name, since, default: was })) } satisfies SealFormat,
  ]),
) as unknown as Readonly<Record<SealedTableName, SealFormat>>;
