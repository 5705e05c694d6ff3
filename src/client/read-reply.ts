import { KeyholeError } from "./keyhole-error.ts";
import { Mismatch, type Reader } from "./readers/reader.ts";

/**
 * The JSON of a reply, as `read` knows it.
 *
 * @throws {KeyholeError} `unexpected-reply` when it is something else. It names the place, and nothing of what is there.
 */
export async function readReply<T>(reply: Response, read: Reader<T>): Promise<T> {
  const json = parseJson(await readText(reply));
  try {
    return read(json, "");
  } catch (error) {
    if (!(error instanceof Mismatch)) throw error;
    throw new KeyholeError("unexpected-reply", `The reply is not what the contract says, at ${error.at || "/"}.`, { status: reply.status });
  }
}

/** The JSON of a reply of which nothing is sure yet; `undefined` where it is not what `read` knows. */
export async function tryToRead<T>(reply: Response, read: Reader<T>): Promise<T | undefined> {
  try {
    return read(await reply.json(), "");
  } catch {
    return undefined;
  }
}

/** Takes the reply that says that something was done. Any other success comes from something else at this address. */
export async function readNothing(reply: Response): Promise<void> {
  if (reply.status !== 204) throw await notKeyhole(reply);
}

/** Gives a reply back when its headers say that it is Keyhole's and of one of these types: a value itself would not tell. */
export async function expectOwn(reply: Response, types: readonly string[]): Promise<Response> {
  const type = (reply.headers.get("Content-Type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!types.includes(type) || !reply.headers.get("X-Request-Id")?.startsWith("req_")) throw await notKeyhole(reply);
  return reply;
}

/**
 * The entity tag of a reply.
 *
 * @throws {KeyholeError} `unexpected-reply` where there is none.
 */
export function tagOf(reply: Response): string {
  const tag = reply.headers.get("ETag");
  // What compresses on the way calls it weak. It names a state of the service and not the bytes of this reply.
  if (tag) return tag.replace(/^W\//, "");
  throw new KeyholeError("unexpected-reply", "The reply has no entity tag.", { status: reply.status });
}

async function notKeyhole(reply: Response): Promise<KeyholeError> {
  await reply.body?.cancel();
  return new KeyholeError("unexpected-reply", "The reply is not one of Keyhole's: is this the address of the service?", { status: reply.status });
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
