import * as z from "zod";
import { timeSchema } from "./time.ts";

const stateShape = {
  generation: z.int().min(1).meta({ description: "How often the log was restored, and 1." }),
  number: z.int().min(0).meta({ description: "The last checkpoint." }),
  checkpoint: z.string().nullable().meta({ description: "The hash of its JWS." }),
  last_seq: z.int().min(0).meta({ description: "The last event that it seals." }),
  removed_to: z.int().min(0).meta({ description: "Up to which event retention has removed the log." }),
  revocation: z.int().min(0).optional().meta({ description: "The organization's last revocation: they are only ever added." }),
};

/** How far an organization's log had come when it was put on record elsewhere. A later Keyhole may add members, which are kept. */
const logStateSchema = z.looseObject(stateShape);
export type LogState = z.infer<typeof logStateSchema>;

/** The same in the registry, where organizations have no names: `log` is an HMAC of it under the keyring's key `key`. */
const registryEntrySchema = z.looseObject({ key: z.string(), log: z.string(), ...stateShape });
export type RegistryEntry = z.infer<typeof registryEntrySchema>;

/** The version of registry objects and anchors that this code writes. */
export const REGISTRY_VERSION = 1;

/**
 * What the signature of a registry object covers: its own key in KV, so that it counts nowhere else, when it was made,
 * and the heads of logs that had changed, or, as `part` of `parts`, of all of them.
 */
export const registryPayloadSchema = z.object({
  version: z.int().min(1),
  name: z.string(),
  at: timeSchema,
  full: z.boolean(),
  part: z.int().min(0),
  parts: z.int().min(1),
  entries: z.array(registryEntrySchema),
});
export type RegistryPayload = z.infer<typeof registryPayloadSchema>;

/** The same with its name, in an anchor: what is kept elsewhere, by whoever may read the log. */
const anchorHeadSchema = z.looseObject({ org: z.string(), ...stateShape });
export type AnchorHead = z.infer<typeof anchorHeadSchema>;

/** What the signature of an anchor covers. */
export const anchorPayloadSchema = z.object({ version: z.int().min(1), at: timeSchema, heads: z.array(anchorHeadSchema) });
export type AnchorPayload = z.infer<typeof anchorPayloadSchema>;

/** Whether a log that was in state `a` had come further than one in state `b`. */
export function isAhead(a: LogState, b: LogState): boolean {
  if (a.generation !== b.generation) return a.generation > b.generation;
  return a.number === b.number ? a.removed_to > b.removed_to : a.number > b.number;
}

/** `GET /v1/audit/anchor`. */
export const anchorReplySchema = z
  .object({
    anchor: z.string().meta({ description: "A compact JWS (RFC 7515) over how far each log has come. Keep it elsewhere." }),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: "Anchor", example: { anchor: "eyJhbGciOiJFZERTQSJ9.e30.c2ln", next_cursor: null } });
