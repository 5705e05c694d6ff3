import * as z from "zod";
import type { Keyring } from "../envelope/keyring.ts";
import { openText } from "../envelope/open-text.ts";
import { sealText } from "../envelope/seal-text.ts";
import { putInventoryObject, readInventoryObject } from "../store/inventory-objects.ts";
import { linksSchema } from "./inventory-links.ts";

const tableSchema = z.object({
  /** The page that comes next. */
  page: z.string(),
  /** When this turn began, and when the last one that came to the end did; milliseconds since 1970. */
  since: z.number().nullable(),
  full_since: z.number().nullable(),
  /** The pages that the last turn came by, and those since. */
  links: linksSchema,
  /** How many rows of each page are not as they should be, and when it was compared. */
  faults: z.record(z.string(), z.object({ count: z.number(), at: z.number() })),
});
/** How far the comparison of a table has come. */
export type TableTurn = z.infer<typeof tableSchema>;

const turnSchema = z.object({ tables: z.record(z.string(), tableSchema) });
/** How far the comparison has come, by table. It is not in D1, where somebody could put it back again and again. */
export type Turn = z.infer<typeof turnSchema>;

const NAME = "i/turn";

type Needs = { readonly kv: KVNamespace; readonly keyring: Keyring };

/** Reads how far the comparison has come. Where that is lost it begins again. */
export async function readTurn({ kv, keyring }: Needs): Promise<Turn> {
  const sealed = await readInventoryObject(kv, NAME);
  const text = sealed === null ? undefined : await openText(keyring, NAME, sealed);
  return turnSchema.safeParse(text === undefined ? undefined : JSON.parse(text)).data ?? { tables: {} };
}

/** Notes it, unless it is what was noted already: where every table is compared whole in each run only times differ. */
export async function writeTurn({ kv, keyring }: Needs, was: Turn, turn: Turn): Promise<void> {
  if (JSON.stringify(withoutTimes(was)) === JSON.stringify(withoutTimes(turn))) return;
  await putInventoryObject(kv, NAME, await sealText(keyring, NAME, JSON.stringify(turn)));
}

function withoutTimes({ tables }: Turn): unknown {
  return Object.entries(tables).map(([table, { page, links, faults }]) => [
    ...[table, page],
    ...[Object.entries(links).map(([id, { from, to, next }]) => [id, from, to, next]), Object.entries(faults).map(([id, { count }]) => [id, count])],
  ]);
}
