import * as z from "zod";
import type { Keyring } from "../envelope/keyring.ts";
import { isCurrentText, keyIdOfText, openText } from "../envelope/open-text.ts";
import { sealText } from "../envelope/seal-text.ts";
import type { RowKey } from "../store/integrity-rows.ts";
import { putInventoryObject, readInventoryObject } from "../store/inventory-objects.ts";

/** The values of the columns that name a row. */
export const keySchema = z.array(z.union([z.string(), z.number()]));

const entrySchema = z.object({
  key: keySchema,
  org: z.string(),
  /** The row's seal; `null` for one without, or one that is not known. */
  seal: z.string().nullable(),
  /** The row is one with another content than this seal's: that was there when an event said otherwise. */
  not: z.boolean(),
  /** From when on nothing depends on the row, in milliseconds since 1970; `null` for never. */
  until: z.number().nullable(),
});
/** A row as it is on record. */
export type Entry = z.infer<typeof entrySchema>;

const pageSchema = z.object({
  version: z.literal(1),
  /** When the rows were compared last; `null` for not yet. */
  at: z.number().nullable(),
  from: keySchema.nullable(),
  to: keySchema.nullable(),
  /** The page after this one. */
  next: z.string().nullable(),
  /** Up to which event of each organization's log. */
  seqs: z.record(z.string(), z.number()),
  /** When that event was, in milliseconds since 1970: another one has its number after a restore. */
  ends: z.record(z.string(), z.number()).default({}),
  /** Where an organization's log was found to be set back, and that was not accepted yet: when its rows had been compared last, in milliseconds since 1970. */
  back: z.record(z.string(), z.number()).default({}),
  entries: z.array(entrySchema),
  /** The keys of rows (JSON) that are not as they should be, and of which an event says so. */
  reported: z.array(z.string()),
});
/** What should be in a stretch of a table: after `from`, up to `to`. */
export type InventoryPage = Omit<z.infer<typeof pageSchema>, "version">;

/** The first page of a table. */
export const FIRST_PAGE = "first";

type Needs = { readonly kv: KVNamespace; readonly keyring: Keyring };

/** A page, and whether it is to be encrypted anew. */
export interface FoundPage {
  readonly page: InventoryPage;
  readonly old: boolean;
}

/**
 * What a page says; `undefined` where there is none that this deployment made.
 *
 * @param needs `faultyKeys` are ids of keys that are missing, or other ones than they were.
 * @returns `closed` for a page under one of those: what it says is not known.
 */
export async function readPage(
  { kv, keyring, faultyKeys }: Needs & { readonly faultyKeys: ReadonlySet<string> },
  table: string,
  id: string,
): Promise<FoundPage | "closed" | undefined> {
  const sealed = await readInventoryObject(kv, nameOf(table, id));
  const text = sealed === null ? undefined : await openText(keyring, nameOf(table, id), sealed);
  const { data } = pageSchema.safeParse(text === undefined ? undefined : JSON.parse(text));
  if (data) return { page: data, old: !isCurrentText(keyring, sealed ?? "") };
  return faultyKeys.has(keyIdOfText(sealed ?? "") ?? "") ? "closed" : undefined;
}

/** Puts a page in the place of the one before. */
export async function writePage({ kv, keyring }: Needs, table: string, id: string, page: InventoryPage): Promise<void> {
  const name = nameOf(table, id);
  await putInventoryObject(kv, name, await sealText(keyring, name, JSON.stringify({ version: 1, ...page })));
}

function nameOf(table: string, id: string): string {
  return `i/${table}/${id}`;
}

/** The order in which D1 has keys. */
export function compareKeys(a: RowKey, b: RowKey): number {
  const at = a.findIndex((part, n) => part !== b[n]);
  return at === -1 ? 0 : (a[at] ?? "") < (b[at] ?? "") ? -1 : 1;
}
