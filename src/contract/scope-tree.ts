import * as z from "zod";
import { bySpecificity, scopeSchema } from "./scope.ts";
import { cursorSchema, limitSchema, purgeQuerySchema } from "./secret.ts";
import { storeNameSchema } from "./store-name.ts";
import { timeSchema } from "./time.ts";

/** What the keys of a scope's values begin with in its store. A secret's name, up to 128 characters, comes after it. */
const prefixSchema = z
  .string()
  .max(384)
  .regex(/^[A-Za-z0-9/_+=.@~:-]*$/, { error: "letters, digits and '/', '_', '+', '=', '.', '@', '~', ':' or '-'" })
  .meta({ description: "What its keys begin with there; the rest of a key is the secret's name.", example: "prod/" });

/** `PUT /v1/scopes/{scope}`: one thing at a time. */
export const putScopeSchema = z
  .strictObject({
    parent: scopeSchema.optional().meta({ description: "Searched after the scope itself.", example: "namespace:prod" }),
    store: storeNameSchema
      .nullable()
      .optional()
      .meta({ description: "The store in which its values are kept from now on; `null`: they are kept here again.", example: "vault-prod" }),
    prefix: prefixSchema.optional(),
  })
  .refine(({ parent, store }) => (parent === undefined) !== (store === undefined), {
    path: ["parent"],
    error: "give a parent, or a store: one at a time",
  })
  .refine(({ store, prefix }) => (typeof store === "string") === (prefix !== undefined), {
    path: ["prefix"],
    error: "a store has a prefix with it, and nothing else has",
  })
  .meta({ id: "PutScope", example: { parent: "namespace:prod" } });
export type PutScope = z.output<typeof putScopeSchema>;

/** Whether `parent` may be above `scope`: it is of the same kind, or of a wider one, and `scope` is not `global`. */
export function mayContain(parent: z.infer<typeof scopeSchema>, scope: z.infer<typeof scopeSchema>): boolean {
  return scope !== "global" && bySpecificity(parent, scope) >= 0;
}

const SCOPE_EXAMPLE = { scope: "repo:acme/payments", parent: "namespace:prod", secrets: 3, store: null, prefix: null };

export const scopeBodySchema = z
  .object({
    scope: scopeSchema,
    parent: z.string().nullable(),
    secrets: z.int().meta({ description: "How many secrets it holds." }),
    store: z.string().nullable().default(null).meta({ description: "The store in which its values are kept; `null`: they are kept here." }),
    prefix: z.string().nullable().default(null).meta({ description: "What its keys begin with there." }),
  })
  .meta({ id: "DeclaredScope", example: SCOPE_EXAMPLE });
export type ScopeBody = z.infer<typeof scopeBodySchema>;

/** `GET /v1/scopes`. */
export const listScopesSchema = z.strictObject({ limit: limitSchema, cursor: cursorSchema });
export const scopeListSchema = z
  .object({ scopes: z.array(scopeBodySchema), next_cursor: z.string().nullable() })
  .meta({ id: "ScopeList", example: { scopes: [SCOPE_EXAMPLE], next_cursor: null } });

/** `DELETE /v1/scopes/{scope}`. */
export const deleteScopeSchema = purgeQuerySchema.extend({
  secrets: z
    .enum(["true", "false"])
    .default("false")
    .meta({ description: "true: delete the scope's secrets too, some at a time; repeat until none remain.", example: "true" }),
});
export const deletedScopeSchema = z
  .object({
    deleted: z.int().meta({ description: "Secrets that this call deleted." }),
    remaining: z.int().meta({ description: "Secrets that the scope still holds." }),
    deleted_until: timeSchema.nullable().default(null).meta({ description: "Until when they can come back; `null` where they are gone for good." }),
  })
  .meta({ id: "DeletedScope", example: { deleted: 200, remaining: 61, deleted_until: "2026-11-28T12:00:00.000Z" } });
export type DeletedScopeBody = z.infer<typeof deletedScopeSchema>;
