import * as z from "zod";

/** Why a sync leaves a key of the store out. */
const LEFT_OUT = ["not-a-name", "name-reserved", "name-locked", "env-name-conflict", "deleted", "value-here", "being-written"] as const;
export type LeftOutKey = (typeof LEFT_OUT)[number];

/** `POST /v1/scopes/{scope}/sync`. */
export const syncScopeSchema = z
  .strictObject({ dry_run: z.boolean().default(false).meta({ description: "Change nothing.", example: true }) })
  .meta({ id: "SyncScope", example: { dry_run: true } });

const namesSchema = z.array(z.string());

export const scopeSyncSchema = z
  .object({
    created: namesSchema.meta({ description: "Secrets that are here from now on; of a dry run, that would be." }),
    present: z.int().meta({ description: "How many keys are secrets here already." }),
    skipped: z.array(z.object({ key: z.string(), reason: z.enum(LEFT_OUT) })).meta({
      description:
        "Keys that are left out: `not-a-name` by the grammar of names, `name-reserved`, `name-locked` by a wider scope, `env-name-conflict` with another name of the scope, `deleted` here, `value-here` for a name whose secret has its value from somewhere else, `being-written` just now, or not known to have ended.",
    }),
    skipped_more: z.int().default(0).meta({ description: "How many others are left out: 500 are named." }),
    missing: namesSchema.meta({ description: "Secrets whose key the store does not have any more; empty where it was not listed to its end." }),
    remaining: z.int().meta({ description: "How many more could be created: repeat the call until there are none." }),
    complete: z.boolean().meta({ description: "Whether the store was listed to its end: 10,000 keys at the most." }),
  })
  .meta({
    id: "ScopeSync",
    example: {
      created: ["DATABASE_URL"],
      present: 12,
      skipped: [{ key: "prod/9lives", reason: "not-a-name" }],
      skipped_more: 0,
      missing: [],
      remaining: 0,
      complete: true,
    },
  });
export type ScopeSync = z.infer<typeof scopeSyncSchema>;
