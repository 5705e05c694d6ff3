import type { Context } from "hono";
import type * as z from "zod";
import { invalid } from "../../../contract/problem.ts";
import type { HonoEnv } from "../hono-env.ts";
import { invalidRequest } from "../parse/invalid-request.ts";
import { parseJson } from "../parse/parse-json.ts";

/** How deep a body may be nested, as in Vault. */
const MAX_DEPTH = 300;

/** A body as its schema has it, and as JSON in which each number stands as it was written. */
export interface VaultBody<T> {
  readonly parsed: T;
  readonly exact: unknown;
}

/**
 * What a body says: JSON whatever its `Content-Type` says, because clients in Go send none. Without one, with nothing but white
 * space in it, or `null`, it is an empty object, as in OpenBao.
 *
 * @throws {Problem} `invalid-request`.
 */
export async function readVaultBody<T>(c: Context<HonoEnv>, schema: z.ZodType<T>): Promise<VaultBody<T>> {
  const bytes = new Uint8Array(await c.req.arrayBuffer());
  const json = bytes.every(isSpace) ? null : parseJson(bytes, "application/json");
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
  let level: unknown[] = [json];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw invalid("", `nested more than ${MAX_DEPTH} deep`);
    level = level.flatMap((value) => (typeof value === "object" && value !== null ? Object.values(value) : []));
  }
}

/** JSON text that stands for itself when it is written again (ECMA-262, `JSON.rawJSON`), which the types do not know yet. */
const { rawJSON } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

// A number is more than JavaScript makes of it: 1.0 and 12345678901234567890 stay as they were written.
function keepNumbers(this: unknown, _: string, value: unknown, context?: { readonly source?: string }): unknown {
  return typeof value === "number" && context?.source !== undefined ? rawJSON(context.source) : value;
}

/** A member of a body as JSON text, exactly as it was given but for white space; `undefined` where it has none. */
export function memberText(exact: unknown, ...path: readonly string[]): string | undefined {
  const member = path.reduce<unknown>(
    (at, name) => (typeof at === "object" && at !== null && Object.hasOwn(at, name) ? (at as never)[name] : undefined),
    exact,
  );
  return member === undefined ? undefined : JSON.stringify(member);
}
