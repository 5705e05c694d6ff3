/** Where clients put a token: none of it is ever forwarded. */
export const TOKEN_HEADERS = ["authorization", "x-api-key", "api-key", "x-goog-api-key", "private-token", "x-amz-security-token"] as const;

/** Of one connection (RFC 9110, section 7.6.1). */
export const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

const DROPPED = new Set([
  ...TOKEN_HEADERS,
  ...HOP_BY_HOP,
  ...["accept-encoding", "cdn-loop", "content-length", "cookie", "cookie2", "date", "expect", "forwarded", "host", "origin", "referer", "via"],
  // What speaks for another method, address or caller than the request's own.
  ...["x-http-method", "x-http-method-override", "x-method-override", "x-original-url", "x-rewrite-url", "x-real-ip", "true-client-ip", "x-client-ip"],
  ...["job-token", "deploy-token", "x-amz-date", "x-amz-content-sha256"],
]);
const DROPPED_PREFIXES = ["cf-", "x-forwarded-", "sec-", "keyhole-", "access-control-", "proxy-"];

/**
 * The headers of a request that go on to a service, with its credentials.
 *
 * @param ranges Whether parts of a reply may be asked for.
 */
export function forwardedHeaders(from: Headers, credentials: readonly (readonly [name: string, value: string])[], ranges: boolean): Headers {
  const listed = new Set((from.get("Connection") ?? "").toLowerCase().split(/[\s,]+/));
  const to = new Headers();
  for (const [name, value] of from) {
    const dropped = DROPPED.has(name) || listed.has(name) || DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix));
    const partial = name === "range" || name === "if-range";
    if (!dropped && (ranges || !partial)) to.append(name, value);
  }
  // What would come in another encoding could not be looked through.
  to.set("Accept-Encoding", "identity");
  for (const [name, value] of credentials) to.set(name, value);
  return to;
}

/** A query without some parameters and with others; what stays is as it came. */
export function forwardedQuery(from: string, without: ReadonlySet<string>, credentials: readonly (readonly [name: string, value: string])[]): string {
  const named = new Set([...without, ...credentials.map(([name]) => name)]);
  const kept = from.split("&").filter((part) => part !== "" && !named.has(nameOf(part)));
  return [...kept, ...credentials.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)].join("&");
}

function nameOf(parameter: string): string {
  return [...new URLSearchParams(parameter).keys()][0] ?? "";
}
