import { API, consoleFetch } from "./client.ts";
import { post, readJson } from "./session-calls.ts";

/** Somebody who asks for a token of the session's: a device, or a command line on this machine. */
export interface Approval {
  readonly client: string;
  readonly organization: string;
  readonly subject: string;
  /** What the token would be allowed. */
  readonly permissions: readonly string[];
  /** Of a device: from where it asks, and the code that it shows. */
  readonly address?: string | null;
  readonly code?: string | null;
  readonly expires_at: string;
}

const at = (code: string) => `${API}/approvals/${encodeURIComponent(code)}`;

/** What somebody asks for. */
export async function readApproval(code: string, signal: AbortSignal): Promise<Approval> {
  return readJson<Approval>(await consoleFetch(at(code), { signal }));
}

/** Approves or refuses it. Returns where the browser is to go then, where a command line waits for it. */
export async function decide(code: string, approve: boolean): Promise<string | undefined> {
  const reply = await post(at(code), { approve });
  return reply.status === 204 ? undefined : (await readJson<{ location?: string }>(reply)).location;
}
