import * as z from "zod";
import { MAX_REVISIONS_NAMED } from "./object.ts";
import { timeSchema } from "./time.ts";

/** What is wrong; of what is not there nothing is said. */
export const vaultErrorSchema = z
  .object({ errors: z.array(z.string()).meta({ description: "For people; empty with 404." }) })
  .meta({ id: "VaultErrors", example: { errors: ["permission denied", "The token lacks the permission secrets:write."] } });

const REQUEST_ID = "req_0b6ae8a2c5f64f0c9a2f7d0d5b1c3e4f";
const COMMON_EXAMPLE = { request_id: REQUEST_ID, lease_id: "", renewable: false, lease_duration: 0 };
const REST_EXAMPLE = { wrap_info: null, warnings: null, auth: null, mount_type: "kv" };

const authSchema = z.looseObject({ client_token: z.string() });

/** A reply with data, as every reply of Vault is. */
function replySchema<Data extends z.ZodType>(id: string, data: Data, example: z.output<Data>) {
  return z.object(envelope(data, z.null())).meta({ id, example: { ...COMMON_EXAMPLE, data: example, ...REST_EXAMPLE } as never });
}

function envelope<Data extends z.ZodType, Auth extends z.ZodType>(data: Data, auth: Auth) {
  return {
    request_id: z.string().meta({ description: "Also in `X-Request-Id` and in the audit log." }),
    lease_id: z.literal(""),
    renewable: z.literal(false),
    lease_duration: z.literal(0),
    data,
    wrap_info: z.null(),
    warnings: z.array(z.string()).nullable(),
    auth,
    mount_type: z.literal("kv"),
  };
}

export const vaultHealthSchema = z
  .object({
    initialized: z.boolean(),
    sealed: z.boolean(),
    standby: z.boolean(),
    performance_standby: z.boolean(),
    replication_performance_mode: z.string(),
    replication_dr_mode: z.string(),
    server_time_utc: z.int(),
    version: z.string(),
    cluster_name: z.string(),
    cluster_id: z.string(),
  })
  .meta({
    id: "VaultHealth",
    example: {
      initialized: true,
      sealed: false,
      standby: false,
      performance_standby: false,
      replication_performance_mode: "disabled",
      replication_dr_mode: "disabled",
      server_time_utc: 1795694400,
      version: "1.17.0",
      cluster_name: "keyhole",
      cluster_id: "f3a1b9c2-0d4e-5f60-7182-93a4b5c6d7e8",
    },
  });

export const vaultSealStatusSchema = z
  .object({
    type: z.string(),
    initialized: z.boolean(),
    sealed: z.boolean(),
    t: z.int(),
    n: z.int(),
    progress: z.int(),
    version: z.string(),
    storage_type: z.string(),
  })
  .meta({
    id: "VaultSealStatus",
    example: { type: "shamir", initialized: true, sealed: false, t: 1, n: 1, progress: 0, version: "1.17.0", storage_type: "d1" },
  });

export const vaultLeaderSchema = z.object({ ha_enabled: z.boolean() }).meta({ id: "VaultLeader", example: { ha_enabled: false } });

const MOUNT_EXAMPLE = {
  type: "kv",
  description: "A scope as one object.",
  options: { version: "2" },
  accessor: "kv_secret",
  config: { default_lease_ttl: 0, max_lease_ttl: 0, force_no_cache: false },
  local: false,
  seal_wrap: false,
  uuid: "",
};
const mountSchema = z
  .object({
    type: z.literal("kv"),
    description: z.string(),
    options: z.object({ version: z.literal("2") }),
    accessor: z.string(),
    config: z.object({ default_lease_ttl: z.int(), max_lease_ttl: z.int(), force_no_cache: z.boolean() }),
    local: z.boolean(),
    seal_wrap: z.boolean(),
    uuid: z.string(),
  })
  .meta({ id: "VaultMount", example: MOUNT_EXAMPLE as never });
const mountsSchema = z.record(z.string(), mountSchema);

export const vaultMountReplySchema = replySchema(
  "VaultMountReply",
  mountSchema.extend({ path: z.string() }).meta({ id: "VaultMountAt", example: { ...MOUNT_EXAMPLE, path: "secret/" } as never }),
  {
    ...MOUNT_EXAMPLE,
    path: "secret/",
  } as never,
);
export const vaultUiMountsReplySchema = replySchema("VaultUiMountsReply", z.object({ auth: z.object({}), secret: mountsSchema }), {
  auth: {},
  secret: { "secret/": MOUNT_EXAMPLE },
} as never);
export const vaultMountsReplySchema = z.object({ ...envelope(mountsSchema, z.null()), "secret/": mountSchema, "kv/": mountSchema, "env/": mountSchema }).meta({
  id: "VaultMountsReply",
  example: {
    "secret/": MOUNT_EXAMPLE,
    "kv/": MOUNT_EXAMPLE,
    "env/": MOUNT_EXAMPLE,
    ...COMMON_EXAMPLE,
    data: { "secret/": MOUNT_EXAMPLE, "kv/": MOUNT_EXAMPLE, "env/": MOUNT_EXAMPLE },
    ...REST_EXAMPLE,
  } as never,
});

const pathSchema = z.string().max(4096);
/** A list, or a text with commas. */
const pathsSchema = z
  .union([pathSchema, z.array(pathSchema).max(100)])
  .nullable()
  .optional()
  .transform((given) => (typeof given === "string" ? given.split(",") : (given ?? [])).map((path) => path.trim()).filter((path) => path !== ""))
  .refine((paths) => paths.length <= 100, { error: "at most 100 paths" });
export const vaultCapabilitiesSchema = z
  .object({ paths: pathsSchema, path: pathsSchema })
  .meta({ id: "VaultCapabilities", example: { paths: ["secret/data/myapp"] } });
const capabilitiesSchema = z.array(z.string());
export const vaultCapabilitiesReplySchema = z
  .object({ ...envelope(z.record(z.string(), capabilitiesSchema), z.null()), capabilities: capabilitiesSchema })
  .catchall(capabilitiesSchema)
  .meta({
    id: "VaultCapabilitiesReply",
    example: {
      "secret/data/myapp": ["read"],
      capabilities: ["read"],
      ...COMMON_EXAMPLE,
      data: { "secret/data/myapp": ["read"], capabilities: ["read"] },
      ...REST_EXAMPLE,
    } as never,
  });

const LOOKUP_EXAMPLE = {
  id: "eyJhbGciOiJFZERTQSJ9.e30.c2ln",
  type: "batch",
  accessor: "",
  entity_id: "",
  policies: ["secrets:resolve"],
  display_name: "token:ci-payments",
  meta: { org: "acme" },
  issue_time: "2026-11-21T12:00:00.000Z",
  creation_time: 1795262400,
  creation_ttl: 3600,
  ttl: 1800,
  expire_time: "2026-11-21T13:00:00.000Z",
  explicit_max_ttl: 0,
  renewable: false,
  num_uses: 0,
  orphan: true,
  path: "auth/token/create",
};
export const vaultLookupReplySchema = replySchema(
  "VaultLookupReply",
  z.object({
    id: z.string().meta({ description: "The token itself; empty where it was looked up by its accessor." }),
    type: z.literal("batch"),
    accessor: z.literal(""),
    entity_id: z.literal(""),
    policies: z.array(z.string()).meta({ description: "Its permissions." }),
    display_name: z.string(),
    meta: z.object({ org: z.string() }),
    issue_time: timeSchema,
    creation_time: z.int(),
    creation_ttl: z.int(),
    ttl: z.int(),
    expire_time: timeSchema,
    explicit_max_ttl: z.literal(0),
    renewable: z.literal(false),
    num_uses: z.literal(0),
    orphan: z.literal(true),
    path: z.string(),
  }),
  LOOKUP_EXAMPLE as never,
);

/** A text, which may be left out, and `null` like any other in Vault. */
const textOrNothingSchema = z
  .string()
  .nullable()
  .optional()
  .transform((text) => text ?? "");
export const vaultLookupSchema = z
  .looseObject({ token: textOrNothingSchema.meta({ description: "The token that the request is made with." }) })
  .meta({ id: "VaultLookup", example: { token: LOOKUP_EXAMPLE.id } });
export const vaultLookupAccessorSchema = z
  .looseObject({ accessor: textOrNothingSchema.meta({ description: "The id of the token that the request is made with." }) })
  .meta({ id: "VaultLookupAccessor", example: { accessor: "tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" } });

const AUTH_EXAMPLE = {
  client_token: "eyJhbGciOiJFZERTQSJ9.e30.c2ln",
  accessor: "",
  policies: ["secrets:resolve"],
  token_policies: ["secrets:resolve"],
  metadata: { org: "acme" },
  lease_duration: 3600,
  renewable: false,
  entity_id: "",
  token_type: "batch",
  orphan: true,
  num_uses: 0,
};
export const vaultAuthReplySchema = z
  .object(envelope(z.null(), authSchema))
  .meta({ id: "VaultAuthReply", example: { ...COMMON_EXAMPLE, data: null, ...REST_EXAMPLE, auth: AUTH_EXAMPLE } as never });

export const vaultLoginSchema = z
  .object({
    role: z.string().max(256).meta({ description: "`<organization>/<trust>`.", example: "acme/github" }),
    jwt: z.string().min(1).meta({ description: "The workload's identity token.", example: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln" }),
  })
  .meta({ id: "VaultLogin", example: { role: "acme/github", jwt: "eyJhbGciOiJSUzI1NiJ9.e30.c2ln" } });
export const vaultAppRoleSchema = z
  .object({
    role_id: z.string().min(1).max(256).meta({ description: "A token's id.", example: "tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c" }),
    secret_id: z.string().min(1).meta({ description: "That token.", example: "eyJhbGciOiJFZERTQSJ9.e30.c2ln" }),
  })
  .meta({ id: "VaultAppRole", example: { role_id: "tok_1f0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c", secret_id: "eyJhbGciOiJFZERTQSJ9.e30.c2ln" } });

/** A body in which nothing is read. */
export const vaultIgnoredSchema = z.looseObject({}).meta({ id: "VaultIgnored", example: {} });

const VERSION_EXAMPLE = { created_time: "2026-11-21T12:00:00.000Z", custom_metadata: null, deletion_time: "", destroyed: false, version: 3 };
const customMetadataSchema = z.record(z.string(), z.string());
const versionMetadataSchema = z.object({
  created_time: timeSchema,
  custom_metadata: customMetadataSchema.nullable(),
  deletion_time: z.literal(""),
  destroyed: z.literal(false),
  version: z.int(),
});

/** A value as Vault gives it: text, or the JSON that it was given as. */
const valueSchema = z.unknown();
export const vaultReadReplySchema = replySchema("VaultReadReply", z.object({ data: z.record(z.string(), valueSchema), metadata: versionMetadataSchema }), {
  data: { value: "sk-example-not-a-key", key: "sk-example-not-a-key" },
  metadata: VERSION_EXAMPLE,
} as never);

/** A version that is deleted, as a 404 shows it to whoever may know it. */
const deletedMetadataSchema = versionMetadataSchema.extend({ deletion_time: timeSchema });
const DELETED_EXAMPLE = { ...VERSION_EXAMPLE, version: 4, created_time: "2026-11-22T12:00:00.000Z", deletion_time: "2026-11-22T12:00:00.000Z" };
const vaultDeletedReplySchema = replySchema(
  "VaultDeletedReply",
  z.object({ data: z.null().optional(), subkeys: z.null().optional(), metadata: deletedMetadataSchema }),
  { data: null, metadata: DELETED_EXAMPLE } as never,
);
/** What 404 says where a read may tell of a deletion. */
export const vaultDeletedOrAbsentSchema = z
  .union([vaultDeletedReplySchema, vaultErrorSchema])
  .meta({ example: vaultDeletedReplySchema.meta()?.example as never });

export const vaultSubkeysReplySchema = replySchema(
  "VaultSubkeysReply",
  z.object({ subkeys: z.record(z.string(), z.null()), metadata: versionMetadataSchema }),
  { subkeys: { DB_USER: null, DB_PASSWORD: null }, metadata: VERSION_EXAMPLE } as never,
);
export const vaultWriteReplySchema = replySchema("VaultWriteReply", versionMetadataSchema, VERSION_EXAMPLE as never);

/** A number, or the text of one. Nothing is 0, as in OpenBao: whoever wants to make something does not replace it. */
const casSchema = z
  .union([z.int().min(0), z.string().regex(/^\d{0,15}$/), z.null()], { error: "a version is a whole number" })
  .transform(Number)
  .optional()
  .meta({ description: "The version that is current; 0 where there is none." });
/** An empty object, as programs write it that do not tell it from an empty list. */
const emptySchema = z
  .array(z.unknown())
  .max(0)
  .transform((): Record<string, never> => ({}));
const optionsSchema = z
  .union([z.object({ cas: casSchema }), emptySchema], { error: "options are an object, and cas in it a whole number" })
  .nullable()
  .optional();
export const vaultWriteSchema = z
  .object({ data: z.record(z.string(), valueSchema), options: optionsSchema })
  .meta({ id: "VaultWrite", example: { data: { value: "sk-example-not-a-key" }, options: { cas: 3 } } });

/** Digits alone: `0x10` and `1e1` are numbers to JavaScript, and a version that nobody meant. */
const VERSION = /^\d{1,15}$/;

/** Versions as clients send them: numbers, texts, one alone, or all in one text. */
export const vaultVersionsSchema = z
  .object({
    versions: z
      .union([z.string(), z.int(), z.array(z.union([z.int(), z.string()])).max(MAX_REVISIONS_NAMED)])
      .transform((given) => (typeof given === "string" ? given.split(",") : [given].flat()).map((each) => String(each).trim()))
      .refine((versions) => versions.length <= MAX_REVISIONS_NAMED, { error: `at most ${MAX_REVISIONS_NAMED} versions` })
      .refine((versions) => versions.length > 0 && versions.every((each) => VERSION.test(each) && Number(each) > 0), {
        error: "a list of versions: 1, 2, 3 …",
      })
      .transform((versions) => versions.map(Number)),
  })
  .meta({ id: "VaultVersions", example: { versions: [1, 2] } });

/** A text; numbers and truths as OpenBao takes them for one. A number arrives as it was written: 1.0 and 12345678901234567890 stay that. */
const textSchema = z.union([z.string(), z.number(), z.boolean()]).transform((given) => String(typeof given === "boolean" ? Number(given) : given));
export const vaultMetadataSchema = z
  .looseObject({
    custom_metadata: z
      .union([z.record(z.string(), textSchema), emptySchema], { error: "texts under keys" })
      .nullable()
      .optional(),
  })
  .meta({ id: "VaultMetadata", example: { custom_metadata: { team: "payments" } } });

const METADATA_EXAMPLE = {
  cas_required: false,
  created_time: "2026-08-01T09:30:00.000Z",
  current_version: 3,
  custom_metadata: { team: "payments" },
  delete_version_after: "0s",
  max_versions: 10,
  oldest_version: 2,
  updated_time: "2026-11-21T12:00:00.000Z",
  versions: { "3": { created_time: "2026-11-21T12:00:00.000Z", deletion_time: "", destroyed: false } },
};
const vaultMetadataReplySchema = replySchema(
  "VaultMetadataReply",
  z.object({
    cas_required: z.literal(false),
    created_time: timeSchema,
    current_version: z.int(),
    custom_metadata: customMetadataSchema.nullable(),
    delete_version_after: z.literal("0s"),
    max_versions: z.int(),
    oldest_version: z.int(),
    updated_time: timeSchema,
    versions: z.record(z.string(), z.object({ created_time: timeSchema, deletion_time: z.string(), destroyed: z.boolean() })),
  }),
  METADATA_EXAMPLE as never,
);

/** A whole number in a query; nothing is 0. */
const WHOLE_OR_NOTHING = /^(?:-?\d{1,9})?$/;

/** How deep the keys of an object are asked for. */
export const vaultSubkeysQuerySchema = z.object({
  depth: z
    .string()
    .regex(WHOLE_OR_NOTHING, { error: "a whole number" })
    .optional()
    .meta({ description: "Says nothing: what is inside a value is not shown.", example: "1" }),
});

/** How a list is asked for, and which part of it. */
export const vaultMetadataQuerySchema = z.object({
  list: z
    .string()
    .regex(/^(?:1|0|[tTfF]|true|True|TRUE|false|False|FALSE)?$/, { error: "true or false" })
    .transform((text) => /^[1tT]/.test(text))
    .optional()
    .meta({ description: "`true` for a list; `1` and what else Vault takes for it, too.", example: "true" }),
  after: z.string().max(4096).optional().meta({ description: "The last name of the part before.", example: "acme/" }),
  limit: z
    .string()
    .regex(WHOLE_OR_NOTHING, { error: "a whole number" })
    .transform(Number)
    .optional()
    .meta({ description: "How many at the most; 1,000 in any case.", example: "100" }),
});
export type VaultListQuery = z.output<typeof vaultMetadataQuerySchema>;

export const vaultListReplySchema = replySchema("VaultListReply", z.object({ keys: z.array(z.string()) }), { keys: ["app", "dir/"] });

export const vaultMetadataPatchSchema = z
  .looseObject({
    custom_metadata: z
      .union([z.record(z.string(), textSchema.nullable()), emptySchema], { error: "texts under keys, or null to take one away" })
      .nullable()
      .optional(),
  })
  .meta({ id: "VaultMetadataPatch", example: { custom_metadata: { team: null } } });

/** A time span as Vault takes it: seconds, or `1h30m`. */
const durationSchema = z
  .union([z.int().min(0), z.string(), z.null()])
  .transform((given) => (typeof given === "number" ? given : secondsOf(given ?? "")))
  .refine((seconds) => Number.isFinite(seconds), { error: "a time span is seconds, or as in 1h30m" })
  .optional();

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

function secondsOf(text: string): number {
  if (text === "") return 0;
  if (/^\d{1,12}$/.test(text)) return Number(text);
  if (!/^(?:\d{1,9}[smhd])+$/.test(text)) return Number.NaN;
  return [...text.matchAll(/(\d+)([smhd])/g)].reduce((sum, [, count, unit = ""]) => sum + Number(count) * (UNITS[unit] ?? 0), 0);
}

export const vaultCreateTokenSchema = z
  .looseObject({
    ttl: durationSchema,
    explicit_max_ttl: durationSchema,
    display_name: z.string().max(128).nullable().optional(),
    policies: z
      .union([z.string().max(64), z.array(z.string().max(64)).max(32)])
      .nullable()
      .optional()
      .transform((given) => (typeof given === "string" ? [given].filter((policy) => policy !== "") : given)),
    num_uses: z
      .union([z.int().min(0), z.string().regex(/^\d{0,9}$/), z.null()], { error: "a whole number" })
      .transform(Number)
      .optional(),
  })
  .meta({ id: "VaultCreateToken", example: { ttl: "20m", display_name: "terraform", policies: ["secrets:resolve"] } });

/** What metadata replies: of one thing, or with `list=true` the names below a path. */
export const vaultMetadataOrListSchema = z
  .union([vaultMetadataReplySchema, vaultListReplySchema])
  .meta({ example: vaultListReplySchema.meta()?.example as never });
