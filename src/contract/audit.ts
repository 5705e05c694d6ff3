import { z } from "zod";
import { timeSchema } from "./time.ts";

const nextCursorSchema = z.string().nullable();

/** What one call did or tried to do. */
export const auditEventSchema = z.object({
  seq: z.int().min(1),
  at: timeSchema,
  org: z.string(),
  actor: z.string(),
  token_id: z.string().nullable(),
  action: z.string(),
  outcome: z.enum(["allowed", "denied"]),
  secrets: z.array(z.object({ id: z.string().nullable(), name: z.string().nullable(), scope: z.string().nullable(), version: z.int().nullable() })),
  request_id: z.string().nullable(),
  ip: z.string().nullable(),
  user_agent: z.string().nullable(),
});
export type AuditEvent = z.infer<typeof auditEventSchema>;

/** `GET /v1/audit`. */
export const auditPageSchema = z.object({ events: z.array(auditEventSchema), next_cursor: nextCursorSchema });
export type AuditPage = z.infer<typeof auditPageSchema>;

/** A signed, chained digest over a stretch of the log. */
export const checkpointSchema = z.looseObject({});
export type Checkpoint = z.infer<typeof checkpointSchema>;

/** `GET /v1/audit/checkpoints`. */
export const checkpointPageSchema = z.object({ checkpoints: z.array(checkpointSchema), next_cursor: nextCursorSchema });
export type CheckpointPage = z.infer<typeof checkpointPageSchema>;

/** `GET /v1/audit/verify`. */
export const verifyReplySchema = z.object({
  ok: z.boolean(),
  checked: z.int(),
  unsealed: z.int(),
  first_bad: z.int().nullable(),
  next_cursor: nextCursorSchema.optional(),
});
export type VerifyReply = z.infer<typeof verifyReplySchema>;
