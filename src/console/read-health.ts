import type { Backlog } from "../contract/backlog.ts";
import type { Integrity } from "../contract/integrity.ts";
import { API, consoleFetch } from "./client.ts";
import { readJson } from "./session-calls.ts";

interface Finding {
  readonly part: string;
  readonly detail?: string;
}

/** What `/readyz` says: to everybody whether it is ready, and with `keys:read` all else. */
export interface Readiness {
  readonly status: "ready" | "degraded" | "not-ready";
  readonly unusable: readonly Finding[];
  readonly degraded?: readonly Finding[];
  readonly notices?: readonly Finding[];
  readonly backlog?: Backlog;
  readonly integrity?: Integrity;
}

/** Asks whether the deployment is ready. That it is not is an answer, with 503. */
export async function readHealth(signal: AbortSignal): Promise<Readiness> {
  const reply = await consoleFetch(`${API}/readyz`, { signal });
  if (reply.status === 503 && /^application\/json/.test(reply.headers.get("Content-Type") ?? "")) return (await reply.json()) as Readiness;
  return readJson<Readiness>(reply);
}
