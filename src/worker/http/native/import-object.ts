import * as z from "zod";
import { importObjectReplySchema, importObjectSchema } from "../../../contract/import-object.ts";
import { importObject } from "../../objects/import-object.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { jsonBody } from "../parse/body.ts";

const querySchema = z.strictObject({
  dry_run: z.enum(["true", "false"]).default("false").meta({ description: "true: change nothing.", example: "true" }),
  overwrite: z
    .enum(["true", "false"])
    .default("false")
    .meta({ description: "true: a value takes the place of a different one. Otherwise nothing is written where one is different.", example: "true" }),
});

/** The route that sets the keys of a document, as Vault's clients have them. */
export const importObjectRoutes = [
  operation(
    {
      method: "post",
      path: "/v1/import/object",
      id: "importObject",
      summary: "Set the keys of a document in one scope",
      description:
        "All or nothing, up to 500 keys, kept as Vault's clients would have them, and compared with what is there in the same transaction: no value is given back. Other keys of the scope stay. A key that is no name of a secret is stored under an encoded one, a reserved name as no variable, and both, as JSON, come back as they were at Vault's addresses. The same request again changes nothing. `dry_run=true` only compares.",
      tag: "Secrets",
      permission: "secrets:write",
      action: "secret.import",
      query: querySchema,
      body: jsonBody(importObjectSchema),
      problems: ["value-too-large", "too-many-secrets", "write-conflict", "name-locked", "env-name-conflict", "quota-exceeded", "version-conflict"],
      replies: { 200: json(importObjectReplySchema, "What became of each key, or would.") },
    },
    async ({ c, needs, caller, query: { dry_run, overwrite }, body }) =>
      c.json(await importObject(needs, caller, body, { dryRun: dry_run === "true", overwrite: overwrite === "true" })),
  ),
];
