import * as z from "zod";
import { FIRST_PAGE, type InventoryPage, keySchema } from "./inventory-page.ts";

const linkSchema = z.object({
  from: keySchema.nullable(),
  to: keySchema.nullable(),
  next: z.string().nullable(),
  /** Since when the page is there, in milliseconds since 1970. */
  at: z.number(),
});
/** Where each page is in its table, by its id, so that one which is taken away leaves a gap with two ends. */
export const linksSchema = z.record(z.string(), linkSchema);
/** {@link linksSchema}. */
export type Links = z.infer<typeof linksSchema>;

/** Notes where a page is, and that the one after it has to be there too: that may never have been read. */
export function linkPage(links: Links, id: string, { from, to, next }: InventoryPage, now: number): void {
  links[id] = { from, to, next, at: links[id]?.at ?? now };
  if (next !== null) links[next] ??= { from: to, to: null, next: null, at: now };
}

/** Those that the first page leads to. */
export function linkedPages(links: Links): Links {
  const linked: Links = {};
  for (let id: string | null = FIRST_PAGE; id !== null && !linked[id]; ) {
    const link: Links[string] | undefined = links[id];
    if (!link) break;
    linked[id] = link;
    id = link.next;
  }
  return linked;
}
