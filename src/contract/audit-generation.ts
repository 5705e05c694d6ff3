import * as z from "zod";
import { orgSchema } from "./org-name.ts";
import { timeSchema } from "./time.ts";

/**
 * What the signature of a generation covers: that an operator has accepted a restore of a log. It is a link of the chain:
 * it names what was last before the restore by number and hash (`after`), and what was lost; the next checkpoint names it,
 * and has the number after `number`.
 */
export const generationPayloadSchema = z.object({
  org: z.string(),
  generation: z.int().min(2),
  number: z.int().min(0),
  after: z.object({ number: z.int().min(0), checkpoint: z.string().nullable(), last_seq: z.int().min(0) }),
  lost: z.object({
    ...{ number: z.int().min(0), checkpoint: z.string().nullable(), first_seq: z.int(), last_seq: z.int() },
    /** The numbers of revocations that are gone, as far as they were on record. */
    revocations: z.object({ first: z.int(), last: z.int() }).optional(),
  }),
  at: timeSchema,
  by: z.string(),
});
export type GenerationPayload = z.infer<typeof generationPayloadSchema>;

/** A range of events that a restore took away, and who accepted that. */
export const lostRangeSchema = z
  .object({ generation: z.int(), first_seq: z.int(), last_seq: z.int(), at: timeSchema, by: z.string() })
  .meta({ id: "LostRange", example: { generation: 2, first_seq: 40, last_seq: 52, at: "2026-11-21T12:00:00.000Z", by: "token:operator" } });
export type LostRange = z.infer<typeof lostRangeSchema>;

/** What a restore took away, as replies show it. */
export function lostRangeOf({ generation, lost, at, by }: GenerationPayload): LostRange {
  return { generation, first_seq: lost.first_seq, last_seq: lost.last_seq, at, by };
}

/** `GET /v1/audit/restorations`. */
export const findRestorationsSchema = z.strictObject({
  org: orgSchema.optional().meta({ description: "Look for this organization's log too, of which nothing at all may be left.", example: "acme" }),
});

const restorationSchema = z
  .object({
    org: z.string(),
    generation: z.int().meta({ description: "The generation that would begin." }),
    after: z.int().meta({ description: "The last event that is still sealed; 0 for none." }),
    lost: z.object({ first_seq: z.int(), last_seq: z.int() }).meta({ description: "The sealed events that are gone, by their numbers." }),
    lost_revocations: z.object({ first: z.int(), last: z.int() }).nullable().meta({
      description:
        "The numbers of revocations that are gone, as far as they were on record. If there are any, every token that the organization has so far ends with the acceptance.",
    }),
    acceptable: z.boolean().meta({ description: "Whether what is left is as it was signed. What is not cannot be accepted." }),
  })
  .meta({
    id: "Restoration",
    example: { org: "acme", generation: 2, after: 39, lost: { first_seq: 40, last_seq: 52 }, lost_revocations: null, acceptable: true },
  });
export type Restoration = z.infer<typeof restorationSchema>;

const DIGEST = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

export const restorationsReplySchema = z
  .object({
    restorations: z.array(restorationSchema),
    unnamed: z.int().meta({ description: "Logs on record of which nothing at all is left, so that their organizations are not known: name one with `org`." }),
    digest: z.string().meta({ description: "Stands for exactly these restorations: send it to accept them." }),
  })
  .meta({ id: "Restorations", example: { restorations: [], unnamed: 0, digest: DIGEST } });
export type RestorationsReply = z.infer<typeof restorationsReplySchema>;

/** `POST /v1/audit/restorations`. */
export const acceptRestorationsSchema = z
  .strictObject({
    digest: z.string().min(1).max(64).meta({ description: "From `GET /v1/audit/restorations`." }),
    org: findRestorationsSchema.shape.org,
  })
  .meta({ id: "AcceptRestorations", example: { digest: DIGEST } });

export const acceptedRestorationsSchema = z
  .object({ accepted: z.array(z.string()).meta({ description: "The organizations whose logs go on." }) })
  .meta({ id: "AcceptedRestorations", example: { accepted: ["acme"] } });
