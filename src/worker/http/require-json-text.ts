import { createMiddleware } from "hono/factory";
import { Problem } from "../../contract/problem.ts";
import type { HonoEnv } from "./hono-env.ts";
import { isJson } from "./media-type.ts";
import { requireText } from "./parse-value.ts";

/**
 * Refuses a JSON body of which something would be lost without a word. One that is not UTF-8 (RFC 8259, section 8.1) is
 * read with replacement characters, so a value would be stored that nobody sent. The name `__proto__` is left out by
 * the validators, so a trust would lack a condition, or an import a secret.
 */
export const requireJsonText = createMiddleware<HonoEnv>(async (c, next) => {
  const contentType = c.req.header("Content-Type") ?? "";
  if (isJson(contentType)) {
    const text = requireText(new Uint8Array(await c.req.raw.arrayBuffer()), contentType);
    // Where Hono keeps what it has read: it is not decoded a second time.
    Object.assign(c.req.bodyCache, { text: Promise.resolve(text) });
    // A name in JSON may also be written with escapes.
    if (/__proto__|\\u/.test(text)) refuseProto(text);
  }
  await next();
});

function refuseProto(text: string): void {
  const pointer = pointerToProto(parseJson(text));
  if (pointer === undefined) return;
  const detail = "this name is not taken";
  throw new Problem("invalid-request", `${pointer}: ${detail}`, { members: { errors: [{ pointer, detail }] } });
}

/** What JSON says, or `undefined` when it says nothing: the validator refuses that. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The JSON Pointer (RFC 6901) of a member `__proto__`, at any depth. */
function pointerToProto(json: unknown): string | undefined {
  const left: [value: unknown, pointer: string][] = [[json, ""]];
  for (let next = left.pop(); next; next = left.pop()) {
    const [value, pointer] = next;
    if (typeof value !== "object" || value === null) continue;
    if (Object.hasOwn(value, "__proto__")) return `${pointer}/__proto__`;
    for (const [name, member] of Object.entries(value)) left.push([member, `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`]);
  }
  return undefined;
}
