import * as z from "zod";
import { lostRangeSchema } from "./audit-generation.ts";
import { cursorSchema, limitSchema } from "./secret.ts";
import { timeInputSchema, timeSchema } from "./time.ts";

/** What audit events record. Denied calls that would only have read something have an action too: `….read`. */
const ACTIONS = [
  ...([
    "secret.create",
    "secret.update",
    "secret.delete",
    "secret.undelete",
    "secret.purge",
    "secret.rollback",
    "secret.destroy",
    "secret.import",
    "secret.resolve",
    "secret.read",
  ] as const),
  // How often what a resolve released was given again under its lease; that nobody said the last of it.
  ...(["secret.resolve.uses", "lease.unsettled"] as const),
  ...(["token.create", "token.revoke", "token.exchange", "token.refused", "token.reused", "token.read", "trust.put", "trust.delete", "trust.read"] as const),
  ...(["scope.put", "scope.delete", "scope.read", "keys.rewrap", "keys.seal", "keys.read", "audit.read"] as const),
  // What is about the log itself: an export, with the filters that it had as its target; events, and revocations, that their age removed (or a shorter age was noted), a restore that was accepted, and a finding that something is not what it was.
  ...(["audit.export", "audit.retention", "log.restored", "integrity.failed"] as const),
  // What callers may use without reading, and each use of it.
  ...(["service.put", "service.delete", "service.read", "secret.use"] as const),
  // Where values live outside, and what was asked there.
  ...(["store.put", "store.delete", "store.read", "store.check", "store.write"] as const),
  // What an organization may have.
  ...(["quota.put", "quota.read"] as const),
  // That all rows were read out, sealed as they are, and that they were put into an empty deployment.
  ...(["backup.read", "backup.restore"] as const),
] as const;
const actionSchema = z.enum(ACTIONS);
export type Action = z.infer<typeof actionSchema>;

const outcomeSchema = z.enum(["allowed", "denied", "not-found", "failed"]).meta({
  description:
    "`allowed` was authorized and is on record before anything leaves; `not-found` is a resolve that asked for names which are not there, and names these; `failed` is the second event of a call that then could not do it.",
});
export type Outcome = z.infer<typeof outcomeSchema>;

const counted = z.int().min(0);
/** What was asked of a service under a lease. */
export const leaseCallsSchema = z
  .object({
    requests: z
      .array(z.object({ request: z.string(), count: counted }))
      .meta({ description: "Methods and paths, with `*` for each segment that names one thing of many, and how often each: 20 at the most." }),
    other_requests: counted.meta({ description: "How often others." }),
    statuses: z
      .array(z.object({ status: z.int(), count: counted }))
      .meta({ description: "How often which status was the answer; after the first five the class of others (`400` for any from 400 on)." }),
    sent_bytes: counted.meta({ description: "How many bytes of bodies went to the service." }),
    received_bytes: counted.meta({ description: "How many came from it." }),
  })
  .meta({
    description:
      "Of a service: what was asked of it under the lease so far, by the use that opened it too. Of a reply that is still open when the lease has ended, the bytes that come after that are not counted.",
  });
export type LeaseCalls = z.infer<typeof leaseCallsSchema>;

/** What an event says of a lease. */
const leaseNoteSchema = z
  .object({
    id: z.string().meta({ description: "The lease. The event that opened it and those that count its uses have the same." }),
    until: timeSchema
      .optional()
      .meta({ description: "Of the resolve, or the use of a service, that opened it: until when the same caller may be given the same again." }),
    max_uses: z.int().optional().meta({ description: "How often at the most." }),
    uses: z.int().optional().meta({ description: "How often that has been done so far; of `lease.unsettled` at least." }),
    final: z.boolean().optional().meta({ description: "Whether the lease has ended, and this is its last count." }),
    calls: leaseCallsSchema.optional(),
  })
  .meta({ description: "There where the event is about a lease." });
export type LeaseNote = z.infer<typeof leaseNoteSchema>;

/** How many secrets an event names at the most that records what was asked and not done: whoever may do nothing can cause those. */
export const MAX_BRIEF = 20;

const EVENT_EXAMPLE = {
  version: 6,
  seq: 42,
  at: "2026-11-21T12:00:00.000Z",
  org: "acme",
  actor: "token:gateway",
  token_id: "tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c",
  issuer: "keyhole",
  action: "secret.resolve",
  outcome: "allowed",
  secrets: [{ id: "sec_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c", name: "OPENAI_API_KEY", scope: "namespace:prod", version: 3 }],
  target: null,
  request_id: "req_0b6ae8a2c5f64f0c9a2f7d0d5b1c3e4f",
  ip: "192.0.2.7",
  user_agent: "curl/8.5.0",
} as const;

/** One event. A secret that a denied call asked for has no version, and an id only where it was asked for by that. */
export const auditEventSchema = z
  .object({
    version: z.int().optional().meta({ description: "Which members the event has, and how its digest is made. One that is left out is 1." }),
    seq: z.int().meta({ description: "Counts without gaps within an organization." }),
    at: timeSchema,
    org: z.string(),
    actor: z.string(),
    token_id: z.string().nullable(),
    issuer: z.string().nullable().optional().meta({
      description:
        "Who issued the caller's token, the `iss` of it: this deployment, or an issuer that it trusts; of an exchange that of the identity token. null for what came without a token. Events of versions below 5 do not have it.",
    }),
    action: actionSchema,
    outcome: outcomeSchema,
    secrets: z.array(z.object({ id: z.string().nullable(), name: z.string().nullable(), scope: z.string().nullable(), version: z.int().nullable() })),
    secrets_total: z
      .int()
      .optional()
      .meta({
        description: `There where there are many: how many secrets it is about. A denied call and a dry run name the first of them, ${MAX_BRIEF} at the most; all else names every one.`,
      }),
    target: z
      .string()
      .nullable()
      .meta({ description: "What it was done to, where that is no secret: a token, a trust, a scope (and the one that it was put under)." }),
    request_id: z.string(),
    ip: z.string().nullable(),
    user_agent: z.string().nullable(),
    lease: leaseNoteSchema.optional(),
  })
  .meta({ id: "AuditEvent", example: EVENT_EXAMPLE });
export type AuditEvent = z.infer<typeof auditEventSchema>;

const NO_SEQ = "after is the seq of an event";

/** `GET /v1/audit`. */
export const readAuditSchema = z
  .strictObject({
    action: actionSchema.optional().meta({ description: "Only this action.", example: "secret.resolve" }),
    actor: z.string().min(1).max(300).optional().meta({ description: "Only this actor.", example: "token:gateway" }),
    secret_id: z
      .string()
      .min(1)
      .max(64)
      .optional()
      .meta({ description: "Only events that name this secret.", example: "sec_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" }),
    outcome: outcomeSchema.optional().meta({ description: "Only this outcome.", example: "denied" }),
    since: timeInputSchema.optional().meta({ description: "Only events at or after this time.", example: "2026-11-01T00:00:00Z" }),
    until: timeInputSchema.optional().meta({ description: "Only events before this time.", example: "2026-12-01T00:00:00Z" }),
    format: z.enum(["json", "ndjson"]).default("json").meta({ description: "`ndjson` streams everything that matches, oldest first.", example: "json" }),
    limit: limitSchema,
    cursor: cursorSchema,
    after: z.coerce
      .number({ error: NO_SEQ })
      .int({ error: NO_SEQ })
      .min(0, { error: NO_SEQ })
      .optional()
      .meta({ description: "With `ndjson`: only events after this `seq`. An export that broke off goes on after its last whole line.", example: 42 }),
  })
  .refine(({ after, format }) => after === undefined || format === "ndjson", { path: ["after"], error: "after goes with format=ndjson" });
export type ReadAuditQuery = z.infer<typeof readAuditSchema>;

export const auditPageSchema = z
  .object({ events: z.array(auditEventSchema), next_cursor: z.string().nullable() })
  .meta({ id: "AuditPage", example: { events: [EVENT_EXAMPLE], next_cursor: null } });

/**
 * What a checkpoint's signature covers. Hashes are SHA-256, base64url without padding. `rows` also covers of which version
 * each event is, because its digest says so. A later Keyhole may add members and keeps these, so that one that does not
 * know them ({@link parsePayload}) can still follow the chain.
 */
export const checkpointPayloadSchema = z.object({
  org: z.string(),
  number: z.int().min(1),
  first_seq: z.int(),
  last_seq: z.int(),
  last_at: timeSchema,
  rows: z.string().meta({ description: "The hash of the stretch's event digests, joined." }),
  previous: z.string().nullable().meta({ description: "The hash of the JWS of the checkpoint before this one." }),
});
export type CheckpointPayload = z.infer<typeof checkpointPayloadSchema>;

export const checkpointSchema = z
  .object({
    number: z.int(),
    first_seq: z.int(),
    last_seq: z.int(),
    last_at: timeSchema,
    row_digests: z.array(z.string()).meta({
      description: "The digest of each event of the stretch, in the order of seq; of an event of version 2 or later after `v<version>.`.",
    }),
    jws: z.string().meta({ description: "A compact JWS (RFC 7515) over the stretch and the checkpoint before it." }),
  })
  .meta({
    id: "Checkpoint",
    example: {
      number: 1,
      first_seq: 1,
      last_seq: 1,
      last_at: "2026-11-21T12:00:00.000Z",
      row_digests: ["47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"],
      jws: "eyJhbGciOiJFZERTQSJ9.e30.c2ln",
    },
  });
export type Checkpoint = z.infer<typeof checkpointSchema>;

/**
 * What the signature of a log's head covers: its last checkpoint and the hash of that one's JWS, `0` and `null` where
 * there is none, up to which event the log was removed because of its age, and the last checkpoint that went with them:
 * the chain begins after it. A log of which only events were removed, as it once was, has no `removed`.
 */
export const headPayloadSchema = z.object({
  org: z.string(),
  number: z.int().min(0),
  checkpoint: z.string().nullable(),
  removed_to: z.int().min(0),
  /** How often the log was restored, and 1; left out where it never was. */
  generation: z.int().min(2).optional(),
  removed: z.object({ number: z.int().min(1), checkpoint: z.string(), last_seq: z.int().min(1), generation: z.int().min(1) }).optional(),
});
export type HeadPayload = z.infer<typeof headPayloadSchema>;

/** The generation that a head says its log is in. */
export function generationOf({ generation = 1 }: Pick<HeadPayload, "generation">): number {
  return generation;
}

/** A signed payload, parsed. */
export interface Parsed<T> {
  readonly data: T;
  /** It has members that are not known here: a later Keyhole signed it. */
  readonly newer: boolean;
}

/** Parses what was signed; `undefined` when it is not of that form. */
export function parsePayload<T extends z.ZodObject>(schema: T, payload: unknown): Parsed<z.infer<T>> | undefined {
  const { data } = schema.safeParse(payload);
  return data && { data, newer: Object.keys(payload as object).some((name) => !Object.hasOwn(schema.shape, name)) };
}

/** `GET /v1/audit/checkpoints`. */
export const listCheckpointsSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });
export const checkpointPageSchema = z
  .object({
    checkpoints: z.array(checkpointSchema),
    head: z.string().nullable().meta({
      description: "A compact JWS that names the last checkpoint, and says up to which event the log was removed because of its age.",
    }),
    generations: z
      .array(z.string())
      .optional()
      .meta({ description: "A compact JWS for each restore of the log that was accepted, in their order. They are links of the chain, too." }),
    next_cursor: z.string().nullable(),
  })
  .meta({ id: "CheckpointPage", example: { checkpoints: [], head: null, next_cursor: null } });

/** From where on a log holds what only a later Keyhole can check. */
const newerSchema = z.object({
  seq: z.int().meta({ description: "The first event that cannot be checked." }),
  version: z.int().nullable().meta({ description: "Its version, `null` where not the event but its checkpoint, or the log's head, is of a later Keyhole." }),
});
export type Newer = z.infer<typeof newerSchema>;

/** Why a log is not whole. */
const REASONS = ["changed", "newer", "behind", "differs", "registry-lost"] as const;
export type Reason = (typeof REASONS)[number];

/** `GET /v1/audit/verify`. */
export const verifyAuditSchema = z.strictObject({ cursor: cursorSchema });
export const verifyReplySchema = z
  .object({
    ok: z.boolean(),
    checked: z.int().meta({ description: "Sealed events that this call recomputed." }),
    unsealed: z.int().meta({ description: "Events that no checkpoint seals yet." }),
    first_bad: z.int().nullable().meta({ description: "The seq of the first event that was changed, removed or added." }),
    newer: newerSchema
      .optional()
      .meta({ description: "There when a later Keyhole wrote what this one cannot check: nothing bad was found, and `ok` is false." }),
    reason: z.enum(REASONS).optional().meta({
      description:
        "There when `ok` is false. `changed`: what is sealed is not what was signed. `behind`: the log does not go as far as the registry outside the database says it did, or is gone. `differs`: it is another log than the registry says. `registry-lost`: the registry itself has been taken away, so that nothing shows whether the log is all there. `newer`: see there.",
    }),
    restored: z.array(lostRangeSchema).optional().meta({ description: "What restores of the database took away, and an operator accepted." }),
    next_cursor: z.string().nullable().meta({ description: "Not null when the log is longer than one call checks: go on with it." }),
  })
  .meta({ id: "AuditVerification", example: { ok: true, checked: 42, unsealed: 3, first_bad: null, next_cursor: null } });
export type VerifyReply = z.infer<typeof verifyReplySchema>;
