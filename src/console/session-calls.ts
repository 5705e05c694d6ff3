import { fromProblem, KeyholeError } from "../client/keyhole-error.ts";
import type { DeviceBody, GoOn, OfferedLogins, SessionBody, SessionToConfirm } from "../contract/console.ts";
import type { ProblemBody } from "../contract/problem.ts";
import { API, consoleFetch } from "./client.ts";
import { tellTabs } from "./session-ended.ts";

/** By what one logs in: a pasted token, a code that is used once, the confirmation of a login that was asked for, or what a provider has sent back with. */
export type LoginBody = { readonly token: string } | { readonly code: string } | { readonly confirm: string } | { readonly arrived: true };

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

/** The names of an organization's logins; none for one that is not there, too. */
export async function offeredLogins(organization: string): Promise<readonly string[]> {
  const reply = await consoleFetch(`${API}/logins?${new URLSearchParams({ organization })}`);
  return (await readJson<OfferedLogins>(reply)).logins;
}

/** Begins a login with a provider, and goes there. `page` is where it leads in the end. */
export async function goToProvider(organization: string, login: string, page: string): Promise<void> {
  const { location: next } = await readJson<GoOn>(await post(`${API}/logins`, { organization, login, page }));
  goOn(next);
}

/** What a program on this machine asks for. */
export interface ProgramRequest {
  readonly redirect_uri: string;
  readonly code_challenge: string;
  readonly state?: string;
}

/** Gives a program on this machine a code for a token, or tells it that it gets none; and goes where it waits. */
export async function answerProgram(organization: string, request: ProgramRequest, approved: boolean): Promise<void> {
  const { location: next } = await readJson<GoOn>(await post(`${API}/authorizations`, { ...request, approved }, organization));
  goOn(next);
}

/** A program that waits elsewhere; with `approved` that is decided about it. */
export async function readDevice(organization: string, user_code: string, approved?: boolean): Promise<DeviceBody> {
  return readJson<DeviceBody>(await post(`${API}/devices`, { user_code, ...(approved !== undefined && { approved }) }, organization));
}

/** Leaves the console for an address that its API gave. */
function goOn(next: string): void {
  const { protocol, href } = new URL(next);
  if (protocol !== "https:" && protocol !== "http:") throw new Error("that is no address to go to");
  location.assign(href);
}

/** A request to the console's API with a JSON body, for the organization that is on the screen. */
function post(path: string, body: unknown, organization?: string): Promise<Response> {
  const shown = organization !== undefined && { "Keyhole-Organization": organization };
  return consoleFetch(path, { method: "POST", headers: { "Content-Type": "application/json", ...shown }, body: JSON.stringify(body) });
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
