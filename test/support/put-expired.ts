import { vi } from "vitest";
import { type CallOptions, put, type Reply } from "./call.ts";

const HOUR = 3_600_000;

/** Sets a secret that has expired an hour ago: two hours ago it was set. */
export async function putExpired(scope: string, name: string, value: string, options: CallOptions & { fields?: object } = {}): Promise<Reply> {
  const now = Date.now();
  vi.useFakeTimers({ toFake: ["Date"], now: now - 2 * HOUR });
  try {
    return await put(scope, name, value, { ...options, fields: { ...options.fields, expires_at: new Date(now - HOUR).toISOString() } });
  } finally {
    vi.useRealTimers();
  }
}
