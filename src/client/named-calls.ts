import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import type { Reader } from "./readers/reader.ts";
import type { Send } from "./send.ts";
import type { CallOptions, PageQuery } from "./types/calls.ts";

/** A kind of things of an organization that have names. */
interface Kind<Made, Body, Page> {
  /** What stands in the path before the name. */
  readonly path: "/v1/logins" | "/v1/services" | "/v1/stores" | "/v1/trusts" | "/v1/webhooks";
  /** What a PUT is answered with, one of them by itself, and a page of them. */
  readonly made: Reader<Made>;
  readonly body: Reader<Body>;
  readonly page: Reader<Page>;
  readonly itemsOf: (page: Page) => readonly Body[];
}

/** The calls that all kinds of named things have, and where one of them is. */
export function namedCalls<Put, Made, Body, Page extends { readonly next_cursor: string | null }>(
  send: Send,
  { path, made, body, page, itemsOf }: Kind<Made, Body, Page>,
) {
  const at = (name: string) => `${path}/${encodeURIComponent(name)}`;
  const list = async (query: PageQuery = {}, options: CallOptions = {}): Promise<Page> =>
    readReply(await send({ method: "GET", path, query: { ...query }, ...options }), page);
  const calls = {
    async put(name: string, json: Put, options: CallOptions = {}): Promise<Made> {
      return readReply(await send({ method: "PUT", path: at(name), json, ...options }), made);
    },
    async get(name: string, options: CallOptions = {}): Promise<Body> {
      return readReply(await send({ method: "GET", path: at(name), ...options }), body);
    },
    list,
    listAll: (options: CallOptions = {}): AsyncGenerator<Body> =>
      pages(async (cursor) => {
        const found = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: itemsOf(found), next: found.next_cursor };
      }),
    async delete(name: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: at(name), ...options }));
    },
  };
  return { at, calls };
}
