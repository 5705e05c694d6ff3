import type { Context } from "hono";
import type * as z from "zod";
import { Problem } from "../../../contract/problem.ts";
import type { HonoEnv } from "../hono-env.ts";
import type { Body } from "./body.ts";
import { invalidRequest } from "./invalid-request.ts";
import { isJson, takesMediaType } from "./media-type.ts";
import { parseJson } from "./parse-json.ts";

/**
 * The query parameters by a schema; one that is given several times is a list.
 *
 * @throws {Problem} `invalid-request` with everything that is wrong.
 */
export function parseQuery<S extends z.ZodObject>(c: Context<HonoEnv>, schema: S | undefined): z.output<S> | undefined {
  if (!schema) return undefined;
  const given = Object.entries(c.req.queries()).map(([name, values]) => [name, values.length === 1 ? values[0] : values]);
  return parse(schema, Object.fromEntries(given), "query");
}

/**
 * The parameters of the path by a schema.
 *
 * @throws {Problem} `invalid-request` with everything that is wrong.
 */
export function parseParams<S extends z.ZodObject>(c: Context<HonoEnv>, schema: S | undefined): z.output<S> | undefined {
  return schema && parse(schema, c.req.param(), "param");
}

/**
 * What a JSON body says, by its schema; `undefined` where there is none, or one of the other types that the route takes.
 *
 * @throws {Problem} `unsupported-media-type`, `invalid-request` with everything that is wrong.
 */
export async function parseBody<B>(c: Context<HonoEnv>, body: Body<B> | undefined): Promise<B | undefined> {
  if (!body) return undefined;
  const contentType = c.req.header("Content-Type");
  await requireMediaType(c, contentType, body);
  if (contentType !== undefined && isJson(contentType)) return parse(body.schema, await readJson(c, contentType, body), "json");
  if (body.optional || Object.keys(body.others).length > 0) return undefined;
  // A body that is missing lacks every field that it must have.
  return parse(body.schema, {}, "json");
}

async function requireMediaType(c: Context<HonoEnv>, contentType: string | undefined, { type, others }: Body<unknown>): Promise<void> {
  const taken = contentType === undefined ? await isEmpty(c) : takesMediaType([type, ...Object.keys(others)], contentType);
  if (!taken) throw new Problem("unsupported-media-type", "The Content-Type of the body is not one that this route takes; the API description lists them.");
}

async function isEmpty(c: Context<HonoEnv>): Promise<boolean> {
  return c.req.raw.body === null || (await c.req.arrayBuffer()).byteLength === 0;
}

async function readJson(c: Context<HonoEnv>, contentType: string, { numbersAsText }: Body<unknown>): Promise<unknown> {
  return parseJson(new Uint8Array(await c.req.arrayBuffer()), contentType, numbersAsText);
}

function parse<S extends z.ZodType>(schema: S, given: unknown, target: "query" | "param" | "json"): z.output<S> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw invalidRequest(parsed.error.issues, target);
}
