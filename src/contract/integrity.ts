import * as z from "zod";
import { timeSchema } from "./time.ts";

/** What the last scheduled run found of the audit logs. */
export const integritySchema = z.object({
  registry: z.enum(["ok", "failed", "lost", "unavailable", "unknown"]).meta({
    description:
      "`ok`: every log is as far as the registry outside the database says. `failed`: `logs` are not. `lost`: registry objects are gone. `unavailable`: it could not be read. `unknown`: there was no run in the last five minutes, or what it signed is not there.",
  }),
  logs: z.int().meta({ description: "Audit logs that are behind the registry, are gone, or are others than it says." }),
  forged_objects: z.int().meta({ description: "Registry objects that are not what was signed. They count for nothing." }),
  judged_at: timeSchema.nullable().meta({ description: "When that was found." }),
  lost_at: timeSchema.nullable().meta({ description: "When registry objects were last found to be gone." }),
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
  shorter_retention: null,
};
