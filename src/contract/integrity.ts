import * as z from "zod";
import { timeSchema } from "./time.ts";

const rowsSchema = z
  .object({
    verdict: z.enum(["ok", "failed", "lost", "unknown"]).meta({
      description:
        "`ok`: secrets, links of scopes, trusts, services, stores, webhooks and tokens are what is on record of them outside the database, or an event says why not. `failed`: `faults` are not. `lost`: what was on record is gone, and is begun anew. `unknown`: there was no run in the last five minutes, or what it signed is not there.",
    }),
    faults: z.int().meta({ description: "Rows that were taken away, put back or exchanged for older ones." }),
    compared_since: timeSchema.nullable().meta({ description: "All rows have been compared since then; `null` when not all have been yet." }),
    lost_at: timeSchema.nullable().meta({ description: "When what was on record was last found to be gone." }),
  })
  .meta({ description: "What the last scheduled run found of rows." });

/** What the last scheduled run found of the audit logs and of rows. */
export const integritySchema = z.object({
  registry: z.enum(["ok", "failed", "lost", "unavailable", "unknown"]).meta({
    description:
      "`ok`: every log is as far as the registry outside the database says. `failed`: `logs` are not. `lost`: registry objects are gone. `unavailable`: it could not be read. `unknown`: there was no run in the last five minutes, or what it signed is not there.",
  }),
  logs: z.int().meta({ description: "Audit logs that are behind the registry, are gone, or are others than it says." }),
  forged_objects: z.int().meta({ description: "Registry objects that are not what was signed. They count for nothing." }),
  judged_at: timeSchema.nullable().meta({ description: "When that was found." }),
  lost_at: timeSchema.nullable().meta({ description: "When registry objects were last found to be gone." }),
  rows: rowsSchema,
  shorter_retention: z
    .object({ days: z.int(), from: timeSchema })
    .nullable()
    .meta({ description: "A shorter AUDIT_RETENTION_DAYS that is not in force yet, and from when on it is." }),
});
export type Integrity = z.infer<typeof integritySchema>;

export const INTEGRITY_EXAMPLE: Integrity = {
  registry: "ok",
  logs: 0,
  forged_objects: 0,
  judged_at: "2026-11-21T12:00:00.000Z",
  lost_at: null,
  rows: { verdict: "ok", faults: 0, compared_since: "2026-11-21T12:00:00.000Z", lost_at: null },
  shorter_retention: null,
};
