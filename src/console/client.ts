import { type Client, createClient } from "../client/create-client.ts";
import { endSession } from "./session-ended.ts";

/** Where the console's own API is: the verbs of `/v1`, for the session in place of a token. */
export const API = "/console/api";

/** A request to the console's API. Without the header none is answered: a foreign page cannot add it. */
export function consoleFetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  // The client always has a token; here it is the session's cookie, which only the browser knows.
  headers.delete("Authorization");
  headers.set("Keyhole-Console", "1");
  return fetch(input, { ...init, headers, credentials: "same-origin", cache: "no-store", referrerPolicy: "no-referrer" });
}

let organization: string | undefined;

/** Says which organization is on the screen: nothing is asked of another one, whoever the browser's session is by then. */
export function showOrganization(name: string | undefined): void {
  organization = name;
}

/** The same for the verbs: a session that has ended, or is another organization's, is gone for the whole page. */
async function verbFetch(input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (organization !== undefined) headers.set("Keyhole-Organization", organization);
  const reply = await consoleFetch(input, { ...init, headers });
  if (reply.status === 401) endSession();
  return reply;
}

/** The client of all pages. */
export const client: Client = createClient({ baseUrl: `${location.origin}${API}`, token: "session", fetch: verbFetch, retries: 2 });
