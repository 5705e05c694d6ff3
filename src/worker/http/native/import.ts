import type { HonoRequest } from "hono";
import * as z from "zod";
import { DOUBT_KINDS, DOUBTS, type Doubt, importReplySchema, importSchema, SKIPPABLE } from "../../../contract/import.ts";
import { invalid } from "../../../contract/problem.ts";
import { type Scope, scopeSchema } from "../../../contract/scope.ts";
import { undeleteQuerySchema } from "../../../contract/secret.ts";
import { importThere } from "../../scope-stores/import-there.ts";
import { whereItIs } from "../../scope-stores/where-it-is.ts";
import { importSecrets } from "../../secrets/import-secrets.ts";
import { json } from "../docs/responses.ts";
import { placeNeedsOf } from "../needs-of.ts";
import { operation } from "../operation.ts";
import { text, textBodyOr } from "../parse/body.ts";
import { parseDotenv } from "../parse/parse-dotenv.ts";
import { requireText } from "../parse/parse-value.ts";

/** `?allow=a&allow=b`: one value is a text, several are a list. */
function listOf<const Kinds extends readonly [string, ...string[]]>(kinds: Kinds) {
  return z.preprocess((value) => (typeof value === "string" ? [value] : value), z.array(z.enum(kinds))).default([]);
}

const querySchema = z.strictObject({
  scope: scopeSchema.optional().meta({ description: "The scope, for a .env file.", example: "namespace:prod" }),
  ...undeleteQuerySchema.shape,
  allow: listOf(DOUBT_KINDS).meta({
    description: `What is taken as it is read, although it is likely meant in another way; repeat it for several. ${Object.entries(DOUBTS)
      .map(([kind, what]) => `\`${kind}\`: ${what}`)
      .join("; ")}.`,
    example: ["comment"],
  }),
  skip: listOf(SKIPPABLE).meta({ description: "What is left out and listed instead of refused: empty values, reserved names.", example: ["empty"] }),
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
        "All or nothing, up to 500; into a scope in a store up to 100, one by one, and `failed` lists what that has not taken: JSON, or a .env file as `text/plain` with `?scope=`, in which no line may be lost: each is blank, a comment, an assignment or part of one. What is likely meant in another way than it is read is refused unless `allow` names it, and so is a name that is given twice. Numbers and booleans in JSON are taken as they are written. Everything wrong is listed at once. `dry_run=true` says what would happen and stores nothing.",
      tag: "Secrets",
      permission: "secrets:write",
      action: "secret.import",
      query: querySchema,
      body: textBodyOr(importSchema, { "text/plain": text("OPENAI_API_KEY='sk-example-not-a-key'\n") }),
      problems: [
        "value-too-large",
        "too-many-secrets",
        "write-conflict",
        "name-locked",
        "env-name-conflict",
        "name-reserved",
        "quota-exceeded",
        "store-refused",
        "store-unavailable",
      ],
      replies: { 200: json(importReplySchema, "What became of each name, or would.") },
    },
    async ({ c, needs, caller, query: { scope, allow, skip, dry_run, undelete }, body }) => {
      const allowed = new Set(allow);
      const given = body ? jsonImport(body, scope) : await dotenvImport(c.req, scope, allowed);
      const how = { allowed, skip: new Set(skip), dryRun: dry_run === "true", undelete: undelete === "true" };
      const all = { ...given, ...how };
      const reply = await whereItIs(
        () => importSecrets(needs, caller, all),
        () => importThere(placeNeedsOf(c), caller, all),
      );
      return c.json(reply);
    },
  ),
];

function jsonImport(body: z.infer<typeof importSchema>, scope: Scope | undefined) {
  if (scope !== undefined) throw invalid("query:scope", "a JSON import names its scope in the body");
  return { ...body, file: null };
}

async function dotenvImport(request: HonoRequest, scope: Scope | undefined, allowed: ReadonlySet<Doubt>) {
  const text = requireText(new Uint8Array(await request.arrayBuffer()), request.header("Content-Type") ?? "");
  if (scope === undefined) throw invalid("query:scope", "a .env import names its scope here");
  const { secrets, ...file } = parseDotenv(text, allowed);
  return { scope, secrets, file };
}
