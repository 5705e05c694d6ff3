import type { FuzzedReply } from "./check-reply.ts";
import type { FuzzedRequest } from "./request.ts";

/** What clients of Vault know how to read. */
const STATUSES: ReadonlySet<number> = new Set([400, 403, 404, 405, 413, 429, 500, 503]);

/**
 * What is wrong with a refusal on Vault's wire: one with another status, or in another form. What is not there is told in an
 * empty list, but for a path that is none; and what is deleted in place of a refusal.
 */
export function checkVaultError({ method }: FuzzedRequest, { status, headers, text }: FuzzedReply): string[] {
  if (status < 400) return [200, 204].includes(status) ? [] : [`clients of Vault do not know ${status}`];
  if (!STATUSES.has(status)) return [`clients of Vault do not know ${status}`];
  if (method === "HEAD") return [];
  if (headers["content-type"] !== "application/json") return ["an error is not JSON"];
  const { errors, data } = JSON.parse(text) as { readonly errors?: unknown; readonly data?: { readonly metadata?: { readonly deletion_time?: string } } };
  if (errors === undefined && status === 404 && data?.metadata?.deletion_time) return [];
  if (!Array.isArray(errors) || !errors.every((error) => typeof error === "string")) return ["an error without a list of errors"];
  if (status === 403 && errors[0] !== "permission denied") return ["403 without permission denied"];
  const isNone = errors.length === 0;
  return isNone === (status === 404) || (status === 404 && /^no handler for route/.test(errors[0] as string)) ? [] : [`${status} with ${errors.length} errors`];
}
