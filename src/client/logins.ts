import { pages } from "./pages.ts";
import { readNothing, readReply } from "./read-reply.ts";
import { loginBody, loginPage } from "./readers/logins.ts";
import type { Send } from "./send.ts";
import type { CallOptions } from "./types/calls.ts";
import type { LoginBody, LoginCalls, LoginPage, PutLogin } from "./types/logins.ts";

/** Logins of people by OpenID providers. */
export function loginCalls(send: Send): LoginCalls {
  const at = (name: string) => `/v1/logins/${encodeURIComponent(name)}`;
  const list = async (query: { limit?: number; cursor?: string } = {}, options: CallOptions = {}): Promise<LoginPage> =>
    readReply(await send({ method: "GET", path: "/v1/logins", query, ...options }), loginPage);
  return {
    async put(name: string, login: PutLogin, options: CallOptions = {}): Promise<LoginBody> {
      return readReply(await send({ method: "PUT", path: at(name), json: login, ...options }), loginBody);
    },
    async get(name: string, options: CallOptions = {}): Promise<LoginBody> {
      return readReply(await send({ method: "GET", path: at(name), ...options }), loginBody);
    },
    list,
    listAll: (options: CallOptions = {}): AsyncGenerator<LoginBody> =>
      pages(async (cursor) => {
        const page = await list({ limit: 200, ...(cursor !== undefined && { cursor }) }, options);
        return { items: page.logins, next: page.next_cursor };
      }),
    async delete(name: string, options: CallOptions = {}): Promise<void> {
      return readNothing(await send({ method: "DELETE", path: at(name), ...options }));
    },
  };
}
