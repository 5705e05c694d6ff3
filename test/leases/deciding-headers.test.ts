import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { put, type Reply } from "../support/call.ts";
import { sign } from "../support/sign.ts";
import { openPlace } from "./place.ts";

let token = "";
beforeAll(async () => {
  token = await sign({ org: "headers" });
  await put("namespace:prod", "KEY", "value", { token });
});

/** What of a reply may not differ between one that was given again and a strict one. */
function essence({ status, headers, body, text }: Reply) {
  const { lease, request_id, ...rest } = typeof body === "object" && body !== null ? body : { text };
  return { status, type: headers.get("Content-Type"), etag: headers.get("ETag"), authenticate: headers.get("WWW-Authenticate"), ...rest };
}

const names = [
  ...["Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cookie", "Content-Encoding", "Content-Language", "Content-Type", "Expect", "Forwarded"],
  ...[
    "If-Match",
    "If-None-Match",
    "If-Modified-Since",
    "If-Unmodified-Since",
    "If-Range",
    "Range",
    "Origin",
    "Pragma",
    "Prefer",
    "Referer",
    "TE",
    "User-Agent",
  ],
  ...[
    "X-Forwarded-For",
    "X-HTTP-Method-Override",
    "X-Vault-Wrap-TTL",
    "X-Vault-Token",
    "X-Vault-Namespace",
    "X-Vault-Request",
    "CF-Connecting-IP",
    "CF-Worker",
    "CF-Ray",
    "Sec-Fetch-Mode",
  ],
];
const text = fc.oneof(
  fc.constantFrom(
    "*",
    '"x"',
    'W/"x", "y"',
    "not a list",
    "application/json",
    "application/json; charset=utf-16",
    "text/plain",
    "application/problem+json",
    "gzip",
  ),
  fc.constantFrom("bytes=0-1", "2001:db8::1", "2001:db8::1%eth0", "192.0.2.9", "no-cache", "Thu, 26 Nov 2026 12:00:00 GMT", "Bearer x", "Basic eDp5", "DELETE"),
  fc.string({ unit: fc.constantFrom(..."abc:;=,/-_. \"'0189"), maxLength: 12 }),
);
const requests = [
  { request: "POST /v1/resolve", json: { scopes: ["namespace:prod"], names: ["KEY"] } },
  { request: "POST /v1/resolve?format=env", json: { scopes: ["namespace:prod"] } },
  { request: "GET /v1/resolve/KEY?scope=namespace:prod" },
  { request: "GET /v1/resolve/KEY?scope=namespace:prod&format=raw" },
  { request: "GET /v1/secret/data/namespace/prod" },
  { request: "GET /v1/kv/data/namespace/prod/KEY?version=1" },
  { request: "GET /v1/headers/env/data/namespace/prod" },
];

it("an answer is given again only to a request that would strictly be answered with the same, whatever header differs", async () => {
  const place = openPlace();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...requests), fc.constantFrom(...names), text, async ({ request, json }, name, value) => {
      const sent = { token, ...(json && { json }) };
      await place.call(request, { ...sent, headers: { "Cache-Control": "max-age=60" } });
      const again = await place.call(request, { ...sent, headers: { "Cache-Control": "max-age=60", [name]: value } });
      const strict = await place.call(request, { ...sent, headers: { [name]: value } });
      expect(essence(again)).toEqual(essence(strict));
    }),
    { numRuns: 150 },
  );
});
