import * as z from "zod";
import { customMetadataSchema } from "./object.ts";
import { scopeSchema } from "./scope.ts";

/** A key of a document with its value: text, or JSON as it is written. */
const objectMemberSchema = z.strictObject({
  key: z.string().meta({ description: "What it is called in the document: also what is no name of a secret." }),
  value: z.string(),
  encoding: z
    .enum(["utf8", "json"])
    .default("utf8")
    .meta({ description: "`json`: the value is JSON, and Vault's clients get JSON back. A string in it is its text, as if Vault's clients had written it." }),
});
export type ObjectMember = z.infer<typeof objectMemberSchema>;

/** `POST /v1/import/object`. */
export const importObjectSchema = z
  .strictObject({
    scope: scopeSchema,
    members: z.array(objectMemberSchema).min(1, { error: "there is nothing to import" }).meta({ description: "Up to 500 keys, each once." }),
    custom_metadata: customMetadataSchema.optional().meta({ description: "What Vault's clients keep beside a document. Left out, it stays as it is." }),
  })
  .meta({ id: "ImportObject", example: { scope: "repo:acme/api", members: [{ key: "port", value: "5432", encoding: "json" }] } });

export type ImportObject = z.infer<typeof importObjectSchema>;

const comparedSchema = z.enum(["new", "same", "different"]);

export const importObjectReplySchema = z
  .object({
    new: z.array(z.string()).meta({ description: "The keys that the scope had not." }),
    same: z.array(z.string()).meta({ description: "The keys that had this value." }),
    different: z.array(z.string()).meta({ description: "The keys that had another value, or one that has expired." }),
    custom_metadata: comparedSchema.nullable().meta({ description: "The same of `custom_metadata`; `null` where none was given." }),
    written: z.boolean().meta({
      description: "Whether anything was written: not in a dry run, not where all is the same, and with `overwrite=false` not where anything is different.",
    }),
  })
  .meta({ id: "ImportObjectReply", example: { new: ["port"], same: [], different: [], custom_metadata: "new", written: true } });
export type ImportObjectReply = z.infer<typeof importObjectReplySchema>;
