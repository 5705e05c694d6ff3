import * as z from "zod";
import { MAX_RELEASED } from "./resolve.ts";
import { isWellFormed, NOT_WELL_FORMED } from "./well-formed.ts";

/** How many keys an object has at the most, to be read or replaced as a whole: as many as a resolve answers. */
export const MAX_OBJECT_KEYS = MAX_RELEASED;
/** How many secrets of a scope, deleted ones among them, one call deletes, brings back, destroys or says something of. */
export const MAX_OBJECT_SECRETS = 1_000;
/** How many revisions one call names. */
export const MAX_REVISIONS_NAMED = 100;
/** How many keys one level of a list has at the most. */
export const MAX_LISTED = 1_000;

const MAX_METADATA_KEYS = 64;

/** What people say of an object: up to 64 texts of up to 512 bytes, under keys of up to 128. */
export const customMetadataSchema = z
  .record(
    z.string().min(1).max(128).refine(isWellFormed, NOT_WELL_FORMED),
    z
      .string()
      .refine(isWellFormed, NOT_WELL_FORMED)
      .refine((text) => new TextEncoder().encode(text).length <= 512, { error: "a text has at most 512 bytes" }),
  )
  .refine((metadata) => Object.keys(metadata).length <= MAX_METADATA_KEYS, { error: `at most ${MAX_METADATA_KEYS} keys` });
export type CustomMetadata = Readonly<Record<string, string>>;
