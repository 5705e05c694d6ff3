import * as z from "zod";
import { UNAVAILABLE_REASONS, type Unavailable, type UnavailableReason } from "./unavailable-reasons.ts";

export type { Unavailable, UnavailableReason };

/** A name whose value a resolve leaves out, because it cannot be had. */
export const unavailableSchema = z
  .object({ name: z.string(), reason: z.enum(UNAVAILABLE_REASONS) })
  .meta({ id: "Unavailable", example: { name: "SMTP_PASSWORD", reason: "not-here-yet" } });
