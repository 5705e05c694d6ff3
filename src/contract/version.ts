import * as z from "zod";
import { cursorSchema, limitSchema } from "./secret.ts";
import { timeSchema } from "./time.ts";

const versionNumberSchema = z.int().min(1).meta({ description: "A version: 1, 2, 3 …", example: 1 });

/** A version's number in a path. */
export const versionParamSchema = z.coerce
  .number({ error: "a version is a whole number" })
  .int()
  .min(1)
  .max(Number.MAX_SAFE_INTEGER)
  .meta({ description: "A version: 1, 2, 3 …", example: 1 });

/** `POST /v1/secrets/{id}/rollback`. */
export const rollbackSchema = z.strictObject({ version: versionNumberSchema }).meta({ id: "Rollback", example: { version: 1 } });

/** `GET /v1/secrets/{id}/versions`. */
export const listVersionsSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });

export const versionListSchema = z
  .object({
    versions: z.array(
      z.object({
        version: versionNumberSchema,
        created_at: timeSchema,
        created_by: z.string(),
        state: z.enum(["current", "previous", "destroyed"]),
        store_version: z
          .string()
          .nullable()
          .default(null)
          .meta({ description: "The store's own id of the version that was written there, or that the source names; `null` for none." }),
      }),
    ),
    next_cursor: z.string().nullable(),
  })
  .meta({
    id: "VersionList",
    example: {
      versions: [{ version: 1, created_at: "2026-11-21T12:00:00.000Z", created_by: "developer", state: "current", store_version: null }],
      next_cursor: null,
    },
  });
