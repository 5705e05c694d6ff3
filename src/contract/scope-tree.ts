import * as z from "zod";
import { bySpecificity, scopeSchema } from "./scope.ts";
import { cursorSchema, limitSchema, purgeQuerySchema } from "./secret.ts";
import { timeSchema } from "./time.ts";

/** `PUT /v1/scopes/{scope}`. */
export const putScopeSchema = z
  .strictObject({ parent: scopeSchema.meta({ description: "Searched after the scope itself.", example: "namespace:prod" }) })
  .meta({ id: "PutScope", example: { parent: "namespace:prod" } });

/** Whether `parent` may be above `scope`: it is of the same kind, or of a wider one, and `scope` is not `global`. */
export function mayContain(parent: z.infer<typeof scopeSchema>, scope: z.infer<typeof scopeSchema>): boolean {
  return scope !== "global" && bySpecificity(parent, scope) >= 0;
}

const SCOPE_EXAMPLE = { scope: "repo:acme/payments", parent: "namespace:prod", secrets: 3 };

export const scopeBodySchema = z
  .object({ scope: scopeSchema, parent: z.string().nullable(), secrets: z.int().meta({ description: "How many secrets it holds." }) })
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
