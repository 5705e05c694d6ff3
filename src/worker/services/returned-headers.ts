import { HOP_BY_HOP } from "./forwarded-headers.ts";
import { type Hidden, shownText } from "./hidden.ts";

/** What a service says to a browser, of a connection, or in Keyhole's name. */
const DROPPED = new Set([
  ...HOP_BY_HOP,
  ...["set-cookie", "set-cookie2", "www-authenticate", "authentication-info", "content-security-policy", "content-security-policy-report-only"],
  ...["clear-site-data", "service-worker-allowed", "refresh", "strict-transport-security", "alt-svc", "report-to", "reporting-endpoints", "nel"],
  ...["cross-origin-embedder-policy", "cross-origin-opener-policy", "cross-origin-resource-policy", "permissions-policy", "feature-policy", "document-policy"],
  ...["origin-agent-cluster", "timing-allow-origin", "x-frame-options", "x-content-type-options", "referrer-policy", "sourcemap", "x-sourcemap"],
  ...["speculation-rules", "accept-ch", "critical-ch", "use-as-dictionary", "expect-ct", "public-key-pins", "x-dns-prefetch-control"],
  ...["cache-control", "pragma", "expires", "age", "content-encoding", "content-length", "content-location", "location", "link"],
]);
/** No header can have it (RFC 9110, section 5.5). */
const BETWEEN = "\0";
const DROPPED_PREFIXES = ["access-control-", "keyhole-", "cf-"];

/** Says of a reply that a page is nothing by itself, and that no other one may have it. */
const OWN: readonly (readonly [name: string, value: string])[] = [
  ["Content-Security-Policy", "sandbox; default-src 'none'"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
  ["Cache-Control", "no-store"],
];

/**
 * The headers of a service's reply that go on to the caller, without what was put into the request.
 */
export function returnedHeaders(from: Headers, hidden: Hidden): Headers {
  // A header's name comes in small letters, in which values are not looked for.
  const small = hidden.values.map((value) => value.toLowerCase());
  const isDropped = (name: string) =>
    DROPPED.has(name) || DROPPED_PREFIXES.some((prefix) => name.startsWith(prefix)) || small.some((value) => name.includes(value));
  const kept: string[] = [];
  for (const [name, value] of from) if (!isDropped(name)) kept.push(name, value);
  // All in one go. What stands between them is in no header, and in no form of what is hidden.
  const together = kept.join(BETWEEN);
  const text = shownText(together, hidden);
  const shown = text === together ? kept : text.split(BETWEEN);
  const to: [string, string][] = OWN.map(([name, value]) => [name, value]);
  for (let n = 0; n < kept.length; n += 2) if (shown[n] === kept[n]) to.push([kept[n] ?? "", shown[n + 1] ?? ""]);
  return new Headers(to);
}
