import type { Context } from "hono";
import type * as z from "zod";
import { Problem } from "../../../contract/problem.ts";
import type { HonoEnv } from "../hono-env.ts";
import { parseJson } from "../parse/parse-json.ts";

/**
 * The JSON body of a request of the console's own page.
 *
 * @throws {Problem} `unsupported-media-type`, `invalid-request`.
 */
export async function bodyIn<S extends z.ZodType>(c: Context<HonoEnv>, schema: S): Promise<z.output<S>> {
  const type = c.req.header("Content-Type") ?? "";
  if (!/^application\/json\b/i.test(type)) throw new Problem("unsupported-media-type", "The body is JSON.");
  const parsed = schema.safeParse(parseJson(new Uint8Array(await c.req.arrayBuffer()), type));
  // What was sent may be a token: nothing of it is repeated.
  if (!parsed.success) throw new Problem("invalid-request", "The body is none that this route takes.");
  return parsed.data;
}
