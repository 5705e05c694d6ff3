import type { HonoRequest } from "hono";
import * as z from "zod";
import { importReplySchema, importSchema } from "../../../contract/import.ts";
import { invalid } from "../../../contract/problem.ts";
import { type Scope, scopeSchema } from "../../../contract/scope.ts";
import { undeleteQuerySchema } from "../../../contract/secret.ts";
import { importSecrets } from "../../secrets/import-secrets.ts";
import { json } from "../docs/responses.ts";
import { operation } from "../operation.ts";
import { jsonBodyOr, text } from "../parse/body.ts";
import { parseDotenv } from "../parse/parse-dotenv.ts";
import { requireText } from "../parse/parse-value.ts";

const querySchema = z.strictObject({
  scope: scopeSchema.optional().meta({ description: "The scope, for a .env file.", example: "namespace:prod" }),
  ...undeleteQuerySchema.shape,
  dry_run: z.enum(["true", "false"]).default("false").meta({ description: "true: change nothing.", example: "true" }),
});

/** The route that sets many secrets at once. */
export const importRoutes = [
  operation(
    {
      method: "post",
      path: "/v1/import",
      id: "importSecrets",
      summary: "Set many secrets of one scope",
      description:
        "All or nothing, up to 500: JSON, or a .env file as `text/plain` with `?scope=`, in which no line may be lost: each is blank, a comment, an assignment or part of one. Everything wrong is listed at once. `dry_run=true` says what would happen and stores nothing.",
      tag: "Secrets",
      permission: "secrets:write",
      action: "secret.import",
      query: querySchema,
      body: jsonBodyOr(importSchema, { "text/plain": text("OPENAI_API_KEY='sk-example-not-a-key'\n") }),
      problems: ["value-too-large", "too-many-secrets", "write-conflict", "name-locked", "env-name-conflict", "name-reserved", "quota-exceeded"],
      replies: { 200: json(importReplySchema, "What became of each name, or would.") },
    },
    async ({ c, needs, caller, query: { scope, dry_run, undelete }, body }) => {
      const given = body ? jsonImport(body, scope) : await dotenvImport(c.req, scope);
      return c.json(await importSecrets(needs, caller, { ...given, dryRun: dry_run === "true", undelete: undelete === "true" }));
    },
  ),
];

function jsonImport(body: z.infer<typeof importSchema>, scope: Scope | undefined) {
  if (scope !== undefined) throw invalid("query:scope", "a JSON import names its scope in the body");
  return body;
}

async function dotenvImport(request: HonoRequest, scope: Scope | undefined) {
  const file = requireText(new Uint8Array(await request.arrayBuffer()), request.header("Content-Type") ?? "");
  if (scope === undefined) throw invalid("query:scope", "a .env import names its scope here");
  return { scope, secrets: parseDotenv(file) };
}
