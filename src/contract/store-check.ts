import * as z from "zod";

/** What of a store does not work; `null` where all that was tried does. */
const FAILS = ["address", "credential", "permission", "store"] as const;

/** `POST /v1/stores/{name}/check`. */
export const checkStoreSchema = z
  .strictObject({
    key: z
      .string()
      .min(1)
      .max(512)
      .optional()
      .meta({ description: "A key to be read, and not shown; without one it is tried to list keys.", example: "prod/database" }),
  })
  .meta({ id: "CheckStore", example: { key: "prod/database" } });
export const checkStoreReplySchema = z
  .object({
    ok: z.boolean(),
    tried: z.enum(["list", "read"]),
    found: z.boolean().nullable().meta({ description: "Whether there is the key that was to be read; `null` where none was, or it is not known." }),
    fails: z.enum(FAILS).nullable().meta({
      description:
        "`address`: nothing may go there, or nothing answers. `credential`: it is not known there, or there is none. `permission`: it is known, and may not do this. `store`: the store says something else, or comes to no end.",
    }),
    detail: z.string().meta({ description: "For people. Nothing that the store said is in it." }),
  })
  .meta({
    id: "StoreCheck",
    example: { ok: false, tried: "list", found: null, fails: "permission", detail: "The store knows who asks, and does not allow that." },
  });
export type StoreCheck = z.infer<typeof checkStoreReplySchema>;
