import type { Context } from "hono";
import type * as z from "zod";
import { MAX_NESTING, NESTED_TOO_DEEP } from "../../../contract/json-nesting.ts";
import { keepNumbers } from "../../../contract/keep-numbers.ts";
import { invalid } from "../../../contract/problem.ts";
import type { HonoEnv } from "../hono-env.ts";
import { invalidRequest } from "../parse/invalid-request.ts";
import { parseJson } from "../parse/parse-json.ts";

/** How deep a body may be nested: a value stands in `data`, and that in the body. */
const MAX_DEPTH = MAX_NESTING + 2;

/** A body as its schema has it, and as JSON in which each number stands as it was written. */
export interface VaultBody<T> {
  readonly parsed: T;
  readonly exact: unknown;
}

/**
 * What a body says: JSON whatever its `Content-Type` says, because clients in Go send none. Without one, with nothing but white
 * space in it, or `null`, it is an empty object, as in OpenBao.
 *
 * @param numbersAsText Whether numbers are parsed as the texts that they were written as.
 * @throws {Problem} `invalid-request`.
 */
export async function readVaultBody<T>(c: Context<HonoEnv>, schema: z.ZodType<T>, numbersAsText = false): Promise<VaultBody<T>> {
  const bytes = new Uint8Array(await c.req.arrayBuffer());
  const json = bytes.every(isSpace) ? null : parseJson(bytes, "application/json", numbersAsText);
  requireShallow(json);
  const { data, error } = schema.safeParse(json ?? {});
  if (error) throw invalidRequest(error.issues, "json");
  return { parsed: data, exact: json === null ? {} : JSON.parse(new TextDecoder().decode(bytes), keepNumbers) };
}

/** White space as JSON has it (RFC 8259, section 2). */
function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;
}

function requireShallow(json: unknown): void {
  let level = [json].filter(isNested);
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw invalid("", NESTED_TOO_DEEP);
    level = level.flatMap((value): unknown[] => Object.values(value)).filter(isNested);
  }
}

function isNested(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** A member of a body as JSON text, exactly as it was given but for white space; `undefined` where it has none. */
export function memberText(exact: unknown, ...path: readonly string[]): string | undefined {
  const member = path.reduce<unknown>(
    (at, name) => (typeof at === "object" && at !== null && Object.hasOwn(at, name) ? (at as never)[name] : undefined),
    exact,
  );
  return member === undefined ? undefined : JSON.stringify(member);
}
