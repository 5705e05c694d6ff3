import type { ReadinessReply } from "../contract/readiness.ts";
import { API, consoleFetch } from "./client.ts";
import { readJson } from "./session-calls.ts";

/** Asks whether the deployment is ready. That it is not is an answer, with 503. */
export async function readHealth(signal: AbortSignal): Promise<ReadinessReply> {
  const reply = await consoleFetch(`${API}/readyz`, { signal });
  if (reply.status === 503 && /^application\/json/.test(reply.headers.get("Content-Type") ?? "")) return (await reply.json()) as ReadinessReply;
  return readJson<ReadinessReply>(reply);
}
