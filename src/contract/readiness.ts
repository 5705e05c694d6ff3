import * as z from "zod";
import { BACKLOG_EXAMPLE, backlogSchema } from "./backlog.ts";
import { INTEGRITY_EXAMPLE, integritySchema } from "./integrity.ts";

/** `GET /healthz`. */
export const healthSchema = z.object({ status: z.literal("ok") }).meta({ id: "Health", example: { status: "ok" } });

const partSchema = z.object({ part: z.enum(["d1", "kv", "keyring", "signing_key", "log_key", "oidc_key", "vars", "compatibility_flags"]) });
const findingSchema = partSchema.extend({ detail: z.string() });

/** `GET /readyz`. */
export const readinessSchema = z
  .object({
    status: z.enum(["ready", "degraded", "not-ready"]).meta({ description: "`degraded` only with `keys:read`; to others such a Worker is `ready`." }),
    unusable: z
      .array(partSchema.extend({ detail: z.string().optional() }))
      .meta({ description: "What the Worker needs and cannot use; why, with `keys:read`." }),
    version: z.string().optional().meta({ description: "The version of Keyhole that is deployed." }),
    degraded: z.array(findingSchema).optional().meta({ description: "Old keys that are missing or wrong: what is not under them works." }),
    notices: z.array(findingSchema).optional().meta({ description: "What works, and would be better otherwise." }),
    backlog: backlogSchema.optional(),
    integrity: integritySchema.optional(),
  })
  .meta({
    id: "Readiness",
    example: {
      status: "ready",
      unusable: [],
      version: "0.1.0",
      degraded: [],
      notices: [],
      backlog: BACKLOG_EXAMPLE,
      integrity: INTEGRITY_EXAMPLE,
    },
  });
/** What a deployment says of itself: to everybody whether it is ready, and with `keys:read` all else. */
export type ReadinessReply = z.infer<typeof readinessSchema>;
