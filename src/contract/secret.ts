import * as z from "zod";
import { LABEL_KEY, SECRET_NAME, whole } from "./grammar.ts";
import { SCOPE_KINDS, scopeSchema } from "./scope.ts";
import { METADATA_EXAMPLE, METADATA_REPLY_SHAPE, METADATA_REQUEST_SHAPE } from "./secret-metadata.ts";
import { secretNameSchema } from "./secret-name.ts";
import { keptSourceSchema, sourceSchema } from "./source.ts";
import { timeSchema } from "./time.ts";
import { isWellFormed, NOT_WELL_FORMED } from "./well-formed.ts";

/** The largest value, in bytes after decoding. */
export const MAX_VALUE_BYTES = 65_536;
/** The largest request body, in bytes. */
export const MAX_BODY_BYTES = 1_048_576;

/** How a value is written in JSON: as text, or as standard base64 (RFC 4648, section 4) of bytes. */
export const encodingSchema = z
  .enum(["utf8", "base64"])
  .meta({ id: "Encoding", description: "How the value is written in JSON: as text, or as base64 of its bytes.", example: "utf8" });
export type Encoding = z.infer<typeof encodingSchema>;
/**
 * How a value is stored: `json` is the JSON text of what is no string, for fronts that know documents. To all others it is text. `source` is
 * the place in a store that has the value.
 */
export type StoredEncoding = Encoding | "json" | "source";

/** How replies show an encoding. */
export function shownEncoding(encoding: StoredEncoding): Encoding {
  return encoding === "json" || encoding === "source" ? "utf8" : encoding;
}

const EXAMPLE = {
  id: "sec_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c",
  name: "OPENAI_API_KEY",
  scope: "namespace:prod",
  version: 3,
  ...METADATA_EXAMPLE,
  encoding: "utf8",
  source: null,
  created_at: "2026-08-01T09:30:00.000Z",
  created_by: "ada",
  updated_at: "2026-11-21T12:00:00.000Z",
  updated_by: "ci",
  rotation_due: false,
  last_resolved_at: "2026-11-21T12:34:56.789Z",
  deleted_at: null,
  deleted_until: null,
};

const valueSchema = z
  .string()
  .min(1, { error: "a value has 1 to 65,536 bytes" })
  .refine(isWellFormed, NOT_WELL_FORMED)
  .meta({ description: "1 to 65,536 bytes after decoding.", example: "sk-example-not-a-key" });

/** A secret as management replies show it. No field could hold a value. */
export const secretSchema = z
  .object({
    id: z.string().meta({ description: "Opaque.", example: EXAMPLE.id }),
    name: secretNameSchema,
    scope: scopeSchema,
    version: z.int().min(1).meta({ description: "The number of the current value." }),
    ...METADATA_REPLY_SHAPE,
    encoding: encodingSchema,
    source: keptSourceSchema.nullable().default(null).meta({ description: "Where the value comes from; `null` for one that is kept here." }),
    created_at: timeSchema,
    created_by: z.string().meta({ description: "The `sub` of the token." }),
    updated_at: timeSchema,
    updated_by: z.string().meta({ description: "The `sub` of the token." }),
    rotation_due: z.boolean().meta({ description: "Whether the current value is older than `rotate_after_days`." }),
    last_resolved_at: timeSchema.nullable(),
    deleted_at: timeSchema.nullable().default(null).meta({ description: "When it was deleted; only a list with `deleted=true` has such a secret." }),
    deleted_until: timeSchema.nullable().default(null).meta({ description: "Until when `POST /v1/secrets/{id}/undelete` brings it back." }),
  })
  .meta({ id: "Secret", description: "A secret's metadata. There is no field that could hold a value.", example: EXAMPLE });
export type SecretBody = z.infer<typeof secretSchema>;

export const setSecretReplySchema = secretSchema
  .extend({ changed: z.boolean().meta({ description: "Whether this call changed anything: the value or the metadata." }) })
  .meta({ id: "SetSecretReply", description: "The secret, and whether this call changed it.", example: { ...EXAMPLE, changed: true } });
export type SetSecretReply = z.infer<typeof setSecretReplySchema>;

interface GivenValue {
  readonly value?: string | undefined;
  readonly encoding?: Encoding | undefined;
  readonly source?: object | undefined;
}

/** A value, or where it is: one of both. */
function hasOneValue({ value, encoding, source }: GivenValue): boolean {
  return (value === undefined) !== (source === undefined) && (encoding === undefined || value !== undefined);
}
const ONE_VALUE = { path: ["value"], error: "a value, or a source that has it: one of both, and an encoding only beside a value" };

/** `PUT /v1/scopes/{scope}/secrets/{name}`. */
export const setSecretSchema = z
  .strictObject({ value: valueSchema.optional(), encoding: encodingSchema.optional(), source: sourceSchema.optional(), ...METADATA_REQUEST_SHAPE })
  .refine(hasOneValue, ONE_VALUE)
  .meta({ id: "SetSecret", example: { value: "sk-example-not-a-key", description: "billing key" } });
export type SetSecretBody = z.infer<typeof setSecretSchema>;

/** `POST /v1/secrets`. */
export const createSecretSchema = z
  .strictObject({
    scope: scopeSchema,
    name: secretNameSchema,
    value: valueSchema.optional(),
    encoding: encodingSchema.optional(),
    source: sourceSchema.optional(),
    ...METADATA_REQUEST_SHAPE,
  })
  .refine(hasOneValue, ONE_VALUE)
  .meta({ id: "CreateSecret", example: { scope: "namespace:prod", name: "OPENAI_API_KEY", value: "sk-example-not-a-key" } });

/** What a call that sets secrets does with those that were deleted. */
export const undeleteQuerySchema = z.strictObject({
  undelete: z
    .enum(["true", "false"])
    .default("false")
    .meta({ description: "true: where a deleted secret had the name, its earlier versions come back, too. Otherwise they are destroyed.", example: "false" }),
});

/** What a call that deletes secrets does with what can come back. */
export const purgeQuerySchema = z.strictObject({
  purge: z.enum(["true", "false"]).default("false").meta({ description: "true: at once and for good; also what was deleted already.", example: "false" }),
});

/** `PATCH /v1/secrets/{id}`. */
export const patchSecretSchema = z
  .strictObject({ value: valueSchema.optional(), encoding: encodingSchema.optional(), ...METADATA_REQUEST_SHAPE })
  .refine((body) => body.encoding === undefined || body.value !== undefined, {
    path: ["encoding"],
    error: "an encoding says how the value is written; send both or neither",
  })
  .meta({ id: "PatchSecret", dependentRequired: { encoding: ["value"] }, example: { description: "rotated by hand", expires_at: null } });

/** A whole number in a query string. */
export const limitSchema = z.coerce
  .number({ error: "limit is a whole number from 1 to 200" })
  .int({ error: "limit is a whole number from 1 to 200" })
  .min(1, { error: "limit is a whole number from 1 to 200" })
  .max(200, { error: "limit is a whole number from 1 to 200" })
  .default(50)
  .meta({ description: "How many at most.", example: 50 });

export const cursorSchema = z
  .string()
  .min(1)
  .max(2048)
  .optional()
  .meta({ description: "`next_cursor` of the page before.", example: "eyJuYW1lIjoiT1BFTkFJX0FQSV9LRVkiLCJzY29wZSI6Im5hbWVzcGFjZTpwcm9kIn0" });

/** `GET /v1/secrets`. */
export const listSecretsSchema = z.strictObject({
  scope: scopeSchema.optional(),
  kind: z.enum(SCOPE_KINDS).optional().meta({ description: "Only scopes of this kind.", example: "namespace" }),
  name: secretNameSchema.optional(),
  prefix: z
    .string()
    .regex(whole(SECRET_NAME), { error: "a prefix is the beginning of a name" })
    .optional()
    .meta({ description: "Only names that begin with this.", example: "OPENAI_" }),
  label: z
    .string()
    .regex(whole(`${LABEL_KEY}:[\\s\\S]{0,256}`), { error: "label=key:value" })
    .optional()
    .meta({ description: "`key:value`.", example: "team:payments" }),
  due: z.enum(["rotation", "expiry"]).optional().meta({ description: "Only what is due for rotation, or has expired.", example: "rotation" }),
  deleted: z.enum(["true", "false"]).default("false").meta({ description: "true: what was deleted and can come back, and nothing else.", example: "false" }),
  state: z.enum(["lost"]).optional().meta({
    description: "Only those whose current value was found not to be there, or not to open: the scheduled run looks at some of all values in each run.",
    example: "lost",
  }),
  limit: limitSchema,
  cursor: cursorSchema,
});
export type ListSecretsQuery = z.infer<typeof listSecretsSchema>;

export const listSecretsReplySchema = z
  .object({ secrets: z.array(secretSchema), next_cursor: z.string().nullable().meta({ description: "Where the next page begins; `null` on the last one." }) })
  .meta({ id: "SecretList", example: { secrets: [EXAMPLE], next_cursor: null } });
