import { fromProblem, KeyholeError } from "../client/keyhole-error.ts";
import type { SessionBody, SessionToConfirm } from "../contract/console.ts";
import type { ProblemBody } from "../contract/problem.ts";
import { API, consoleFetch } from "./client.ts";
import { tellTabs } from "./session-ended.ts";

/** By what one logs in: a pasted token, a code that is used once, or the confirmation of a login that was asked for. */
export type LoginBody = { readonly token: string } | { readonly code: string } | { readonly confirm: string };

/** Who is logged in; `undefined` where nobody is. */
export async function readSession(): Promise<SessionBody | undefined> {
  const reply = await consoleFetch(`${API}/session`);
  return reply.status === 401 ? undefined : readJson<SessionBody>(reply);
}

/** Logs in, or says what that would be. */
export async function logIn(body: LoginBody): Promise<SessionBody | SessionToConfirm> {
  const result = await readJson<SessionBody | SessionToConfirm>(await post(`${API}/session`, body));
  if (!("confirm" in result)) tellTabs("began");
  return result;
}

/** Logs out, in all tabs. */
export async function logOut(): Promise<void> {
  const reply = await consoleFetch(`${API}/session`, { method: "DELETE" });
  if (!reply.ok && reply.status !== 401) await readJson(reply);
  tellTabs("ended");
}

/** A request to the console's API with a JSON body. */
function post(path: string, body: unknown): Promise<Response> {
  return consoleFetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
}

/**
 * The JSON of a reply.
 *
 * @throws {KeyholeError} what the problem says, or `unexpected-reply`.
 */
export async function readJson<T>(reply: Response): Promise<T> {
  const type = reply.headers.get("Content-Type") ?? "";
  const body: unknown = /json/i.test(type) ? await reply.json() : undefined;
  if (reply.ok && typeof body === "object" && body !== null) return body as T;
  if (/^application\/problem\+json/i.test(type)) throw fromProblem(body as ProblemBody, undefined);
  throw new KeyholeError("unexpected-reply", `The reply is status ${reply.status} and not one of Keyhole's.`, { status: reply.status });
}
