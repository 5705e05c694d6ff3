/** Whether a status says that the service, or what stands before it, does not answer now: 502 and up, Cloudflare's own 520 to 530 among them. */
export function isOutage(status = 0): boolean {
  return status > 501;
}

/**
 * What a failure means for an answer that is kept: the service has refused, which ends it; did not answer, where it may
 * stand in; or something else failed, where it may not. A 502 or 504 is from something before the service.
 */
export function failureKind({ code, status = 0 }: { readonly code: string; readonly status?: number | undefined }): "refused" | "unanswered" | "failed" {
  if (code === "unreachable" || status === 429 || isOutage(status)) return "unanswered";
  return code === "unexpected-reply" || code === "internal" ? "failed" : "refused";
}
