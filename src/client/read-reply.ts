import type { z } from "zod";
import { KeyholeError } from "./keyhole-error.ts";

/**
 * The JSON of a reply, as `schema` says it is.
 *
 * @throws {KeyholeError} `unexpected-reply` when it is something else.
 */
export async function readReply<T extends z.ZodType>(reply: Response, schema: T): Promise<z.output<T>> {
  const text = await readText(reply);
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  // The issues name the places that are wrong and nothing of what is there: a reply may hold values.
  const places = parsed.error.issues.map(({ path }) => `/${path.join("/")}`).join(", ");
  throw new KeyholeError("unexpected-reply", `The reply is not what the contract says, at ${places}.`, { status: reply.status });
}

/** The text of a reply. */
export async function readText(reply: Response): Promise<string> {
  return new TextDecoder("utf-8", { fatal: false, ignoreBOM: true }).decode(await readBytes(reply));
}

/** The bytes of a reply. */
export async function readBytes(reply: Response): Promise<Uint8Array> {
  return new Uint8Array(await reply.arrayBuffer());
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
