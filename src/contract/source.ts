import * as z from "zod";
import { storeNameSchema } from "./store-name.ts";

const printable = /^[\x21-\x7e]+$/;

/** Where a secret has its value from, that has none of its own. */
export const sourceSchema = z
  .strictObject({
    store: storeNameSchema,
    key: z.string().min(1).max(512).regex(printable).meta({ description: "The key as the store has it.", example: "prod/database" }),
    field: z
      .string()
      .min(1)
      .max(256)
      .optional()
      .meta({ description: "Of a store that keeps objects, or of a value that is a JSON object: the member that is the value.", example: "password" }),
    version: z
      .string()
      .min(1)
      .max(128)
      .regex(printable)
      .optional()
      .meta({ description: "The store's own id of a version; left out: the current one.", example: "7" }),
  })
  .meta({
    id: "Source",
    description: "The place in a store that a secret has its value from: only one that the store's `allow` lets its scope have.",
    example: { store: "vault-prod", key: "prod/database", field: "password" },
  });
export type Source = z.output<typeof sourceSchema>;

/** A source as it is shown. */
export const keptSourceSchema = sourceSchema
  .extend({
    written: z
      .string()
      .min(1)
      .max(128)
      .regex(printable)
      .optional()
      .meta({ description: "Of a scope in a store: the store's id of the version that this write has made there. The current one is what is read." }),
  })
  .meta({ id: "KeptSource", example: { store: "vault-prod", key: "prod/database", field: "password" } });
const storedSourceSchema = keptSourceSchema.extend({
  /** Where the store was when `written` was written there ({@link placeOf}): of another place that id says nothing. It is shown to nobody. */
  place: z.string().optional(),
});
/** A source as it is kept. */
export type KeptSource = z.output<typeof storedSourceSchema>;

/** A source as it is kept, in the place of a value. */
export function textOfSource({ store, key, field, version, written, place }: KeptSource): string {
  const pinned = { ...(field !== undefined && { field }), ...(version !== undefined && { version }) };
  return JSON.stringify({ store, key, ...pinned, ...(written !== undefined && { written }), ...(place !== undefined && { place }) });
}

/** A source as it is shown. */
export function shownSource({ place: _, ...shown }: KeptSource): z.output<typeof keptSourceSchema> {
  return shown;
}

/** A source that {@link textOfSource} has written; `undefined` for anything else. */
export function sourceOfText(text: string): KeptSource | undefined {
  try {
    return storedSourceSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
