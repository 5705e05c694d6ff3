import * as z from "zod";
import { LABEL_KEY, whole } from "./grammar.ts";
import { hostPatternSchema } from "./hosts.ts";
import { sortedJson } from "./sorted-json.ts";
import { formatTime, timeInputSchema, timeSchema } from "./time.ts";
import { isWellFormed, NOT_WELL_FORMED } from "./well-formed.ts";

/** What a column of the metadata holds. */
export type ColumnValue = string | number | null;

/** One field of the metadata: how requests give it, how replies show it, and how its column in the table `secrets` holds it. */
interface Field<Request extends z.ZodType, Reply extends z.ZodType, Column extends ColumnValue> {
  /** Optional: what a request leaves out stays as it is. */
  readonly request: Request;
  readonly reply: Reply;
  /** What replies show in examples. */
  readonly example: z.output<Reply>;
  /** What the column holds where no request has given the field: the default of the migration that adds it. */
  readonly initial: Column;
  toColumn(given: Exclude<z.output<Request>, undefined>): Column;
  fromColumn(column: Column): z.output<Reply>;
}

function field<Request extends z.ZodType, Reply extends z.ZodType, Column extends ColumnValue>(made: Field<Request, Reply, Column>) {
  return made;
}

/** A field whose column holds what requests give and replies show; `null` clears it. */
function asGiven<Column extends ColumnValue>(request: z.ZodOptional<z.ZodType<Column>>, reply: z.ZodType<Column>, example: Column) {
  return field({ request, reply, example, initial: null as Column, toColumn: (given: Column) => given, fromColumn: (column: Column) => column });
}

const labelsSchema = z
  .record(
    z.string().regex(whole(LABEL_KEY), { error: "a label's key is 1 to 63 letters, digits, '.', '_', '/' or '-'" }),
    z.string().max(256).refine(isWellFormed, NOT_WELL_FORMED),
  )
  .refine((labels) => Object.keys(labels).length <= 32, { error: "at most 32 labels" })
  .meta({ description: "Up to 32 labels.", maxProperties: 32, propertyNames: { pattern: whole(LABEL_KEY).source }, example: { team: "payments" } });

/**
 * A secret's metadata, said once. Request and reply bodies, the columns that are read, written and compared, and the
 * types of all of them come from this table. A new field is a line here and a column in a migration.
 */
export const SECRET_METADATA = {
  description: asGiven(
    z
      .string()
      .max(1024)
      .refine(isWellFormed, NOT_WELL_FORMED)
      .nullable()
      .optional()
      .meta({ description: "What it is for; never the value.", example: "billing key" }),
    z.string().nullable(),
    "billing key",
  ),
  labels: field({
    request: labelsSchema.optional(),
    reply: z.record(z.string(), z.string()),
    example: { team: "payments" },
    initial: "{}" as string,
    toColumn: sortedJson,
    fromColumn: (column) => JSON.parse(column) as Record<string, string>,
  }),
  expires_at: field({
    request: timeInputSchema.nullable().optional().meta({
      description: "From then on a resolve answers 410. It lies in the future: a secret that has expired is given a later time, or `null`.",
      example: "2037-01-31T00:00:00Z",
    }),
    reply: timeSchema.nullable(),
    example: null,
    initial: null as number | null,
    toColumn: (time) => (time === null ? null : Date.parse(time)),
    fromColumn: (column) => formatTime(column),
  }),
  rotate_after_days: asGiven(
    z.int().min(1).max(3650).nullable().optional().meta({ description: "A new value is due this long after the last one.", example: 90 }),
    z.int().nullable(),
    90,
  ),
  locked: field({
    request: z
      .boolean()
      .optional()
      .meta({ description: "Whether it wins over every narrower scope, where its name can then not be set: 422 `name-locked`.", example: true }),
    reply: z.boolean(),
    example: false,
    initial: 0 as number,
    toColumn: (locked) => (locked ? 1 : 0),
    fromColumn: (column) => column === 1,
  }),
  variable: field({
    request: z.boolean().optional().meta({
      description: "Whether it may become an environment variable. With `false` also a reserved name can be stored: it then never becomes one.",
      example: false,
    }),
    reply: z.boolean(),
    example: true,
    initial: 1 as number,
    toColumn: (variable) => (variable ? 1 : 0),
    fromColumn: (column) => column === 1,
  }),
  hosts: field({
    request: z
      .array(hostPatternSchema)
      .max(32)
      .optional()
      .meta({
        description:
          "The hosts to which a service may send the value. Given together with a value; to add one later needs `secrets:resolve` on the secret, unless it is a host of a preset. What somebody brings who may not read the secret is for that value only: the next one has it only if it says so.",
        example: ["api.openai.com"],
      }),
    reply: z.array(z.string()).default([]),
    example: ["api.openai.com"],
    initial: "[]" as string,
    // In one order, so that the same hosts are the same text.
    toColumn: (hosts) => JSON.stringify([...new Set(hosts)].sort()),
    fromColumn: (column) => JSON.parse(column) as string[],
  }),
  max_lease_seconds: asGiven(
    z
      .int()
      .min(0)
      .max(300)
      .nullable()
      .optional()
      .meta({ description: "The longest lease of whoever resolves it, in seconds; 0 for none, `null` for what the deployment allows.", example: 30 }),
    z.int().nullable(),
    null,
  ),
};

type Fields = typeof SECRET_METADATA;
export type MetadataName = keyof Fields;

/** The metadata as requests give it. What is left out stays as it is. */
export type MetadataRequest = { readonly [Name in MetadataName]?: z.output<Fields[Name]["request"]> };
/** The metadata as replies show it. */
export type MetadataReply = { [Name in MetadataName]: z.output<Fields[Name]["reply"]> };
/** The metadata as the table `secrets` holds it. */
export type MetadataColumns = { readonly [Name in MetadataName]: Fields[Name]["initial"] };

const FIELDS = Object.entries(SECRET_METADATA) as [MetadataName, Field<z.ZodType, z.ZodType, ColumnValue>][];

export const METADATA_NAMES: readonly MetadataName[] = FIELDS.map(([name]) => name);

/** What of each field `pick` takes, by name. Whoever calls says what type that makes. */
function each<Result>(pick: (made: Field<z.ZodType, z.ZodType, ColumnValue>, name: MetadataName) => unknown): Result {
  return Object.fromEntries(FIELDS.map(([name, made]) => [name, pick(made, name)])) as Result;
}

/** The schemas of the fields in request bodies. */
export const METADATA_REQUEST_SHAPE = each<{ readonly [Name in MetadataName]: Fields[Name]["request"] }>(({ request }) => request);
/** The schemas of the fields in reply bodies. */
export const METADATA_REPLY_SHAPE = each<{ readonly [Name in MetadataName]: Fields[Name]["reply"] }>(({ reply }) => reply);
/** The metadata of a secret in examples of replies. */
export const METADATA_EXAMPLE = each<MetadataReply>(({ example }) => example);
/** The metadata of a secret of which no request has given any. */
export const INITIAL_METADATA = each<MetadataColumns>(({ initial }) => initial);

/** The columns of those fields that a request gives. */
export function metadataToColumns(given: MetadataRequest): Partial<MetadataColumns> {
  const columns = FIELDS.flatMap(([name, { toColumn }]) => (given[name] === undefined ? [] : [[name, toColumn(given[name])]]));
  return Object.fromEntries(columns) as Partial<MetadataColumns>;
}

/** The metadata in a row, as replies show it. */
export function metadataFromColumns(row: MetadataColumns): MetadataReply {
  return each<MetadataReply>(({ fromColumn }, name) => fromColumn(row[name]));
}
