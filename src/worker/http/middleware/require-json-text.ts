import { createMiddleware } from "hono/factory";
import { invalid } from "../../../contract/problem.ts";
import type { HonoEnv } from "../hono-env.ts";
import { isJson } from "../parse/media-type.ts";
import { requireText } from "../parse/parse-value.ts";

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
  if (holdsProto(parseJson(text))) throw invalid("", "the name __proto__ is not taken");
}

/** What JSON says, or `undefined` when it says nothing: the validator refuses that. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Whether a member at any depth has this name. Only what can hold one is kept meanwhile: a large body must not take many times its size. */
function holdsProto(json: unknown): boolean {
  const left: object[] = [];
  const visit = (value: unknown): void => {
    if (typeof value === "object" && value !== null) left.push(value);
  };
  visit(json);
  for (let next = left.pop(); next; next = left.pop()) {
    if (Object.hasOwn(next, "__proto__")) return true;
    if (Array.isArray(next)) for (const member of next) visit(member);
    else for (const name in next) visit((next as Record<string, unknown>)[name]);
  }
  return false;
}
