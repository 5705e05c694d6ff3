import { exports } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { toBase64url } from "../../src/contract/base64url.ts";
import { at, call } from "../support/call.ts";
import { checkReply, type FuzzedReply } from "./check-reply.ts";
import { reachedBy, readDescriptions } from "./descriptions.ts";
import { CANARY } from "./hostile.ts";
import type { FuzzedRequest } from "./request.ts";

const descriptions = await readDescriptions((path) => exports.default.fetch(`https://keyhole.test${path}`));

async function get(target: string, token: null | undefined = undefined): Promise<{ request: FuzzedRequest; reply: FuzzedReply }> {
  const { status, headers, text } = await call(`GET ${target}`, token === null ? { token } : {});
  return {
    request: { method: "GET", target, headers: [], again: undefined, body: undefined, chunked: false, grant: "everything", spends: false },
    reply: { status, headers: Object.fromEntries(headers), text },
  };
}

/** What is found in the reply to a request when something in it is changed. */
async function found(target: string, change: (reply: FuzzedReply) => Partial<FuzzedReply>, token: null | undefined = undefined): Promise<string> {
  const { request, reply } = await get(target, token);
  expect(checkReply(descriptions, request, reply)).toEqual([]);
  return checkReply(descriptions, request, { ...reply, ...change(reply) }).join("; ");
}

const secret = at("global", "A_KEY");
const member =
  (changed: object) =>
  ({ text }: FuzzedReply) => ({ text: JSON.stringify({ ...JSON.parse(text), ...changed }) });
const header =
  (changed: Record<string, string>) =>
  ({ headers }: FuzzedReply) => ({ headers: { ...headers, ...changed } });

type Case = [what: string, target: string, change: (reply: FuzzedReply) => Partial<FuzzedReply>, wrong: RegExp];

describe("the check of replies finds", () => {
  it.each<Case>([
    ["a failure", secret, () => ({ status: 500 }), /answers 500/],
    ["a status that is not described", secret, () => ({ status: 202 }), /does not describe 202/],
    ["a status that only other operations have", "/v1/secrets", () => ({ status: 409 }), /not described here|does not describe/],
    ["a member that is not described", secret, member({ value: 1 }), /value: not described/],
    ["a member that is missing", secret, member({ version: undefined }), /version: missing/],
    ["a member of another type", secret, member({ version: "1" }), /version: not integer/],
    ["a member out of bounds", secret, member({ version: 0 }), /version: the number is 0/],
    ["a time in another form", secret, member({ created_at: "2026-11-21" }), /created_at: not a date-time/],
    ["a member that is not one of the choices", secret, member({ encoding: "hex" }), /encoding: not one of/],
    ["a text that does not match", secret, member({ name: "1" }), /name: does not match/],
    ["a value", secret, member({ description: `x${CANARY}x` }), /holds a value/],
    ["a value in a URL", secret, member({ description: encodeURIComponent(`x${CANARY}x`) }), /holds a value/],
    ...[0, 1, 2, 3].flatMap((bytes): Case[] => {
      const longer = new TextEncoder().encode(`${"a".repeat(bytes)}${CANARY}x`);
      return [
        [`a value in base64 after ${bytes} bytes`, secret, member({ description: longer.toBase64() }), /holds a value/],
        [`a value in base64url after ${bytes} bytes`, secret, member({ description: toBase64url(longer) }), /holds a value/],
      ];
    }),
    ["a value in a header", secret, header({ etag: CANARY }), /holds a value/],
    ["a reply that may be kept", secret, header({ "cache-control": "max-age=1" }), /no-store/],
    ["a reply without a request id", secret, header({ "x-request-id": "" }), /X-Request-Id/],
    ["another media type", secret, header({ "content-type": "text/html" }), /does not describe text\/html/],
    ["a code that nobody knows", at("global", "NONE"), member({ code: "odd" }), /code odd is not known/],
    ["a code of another operation", at("global", "NONE"), member({ code: "trust-not-found" }), /trust-not-found is not described here/],
    ["a status beside the problem's", at("global", "NONE"), member({ status: 410 }), /status or title/],
    ["another request's id", at("global", "NONE"), member({ request_id: "req_x" }), /request id/],
    ["a status that clients of Vault do not know", "/v1/secret/data/none", () => ({ status: 409 }), /do not know 409/],
    ["an error of the other API", "/v1/secret/data/none", member({ errors: undefined, code: "x" }), /without a list of errors|not described/],
    ["what is said of what is not there", "/v1/secret/data/none", member({ errors: ["it is not there"] }), /404 with 1 errors/],
    ["a refusal without its words", "/v1/secret/data/a%2Fb", () => ({ status: 403 }), /without permission denied/],
    ["a value in an error of Vault's wire", "/v1/secret/data/a%2Fb", member({ errors: [CANARY] }), /holds a value/],
    ["a value beside a key", "/v1/secret/subkeys/global", member({ request_id: CANARY }), /holds a value/],
    ["an answer on Vault's wire where nothing is", "/v1/secret/none/x", () => ({ status: 200, text: "{}" }), /where nothing is/],
    ["something else at the address itself", "/metrics/..", member({ name: "x" }), /where nothing is/],
    ["a way elsewhere from the address itself", "/", () => ({ status: 302, headers: { location: "https://elsewhere.example" }, text: "" }), /where nothing is/],
    ["an answer where nothing is", "/v1/nothing", () => ({ status: 200, headers: {}, text: "" }), /where nothing is/],
  ])("%s", async (_, target, change, wrong) => {
    await call(`PUT ${secret}`, { json: { value: CANARY } });
    expect(await found(target, change)).toMatch(wrong);
  });

  it.each([
    ["GET", "/v1/secret/data/a/b/c", "vaultReadObject"],
    ["PUT", "/v1/acme/kv/data/global/A/", "vaultWriteSecret"],
    ["POST", "/v1/auth/jwt/prod/login", "vaultLogin"],
    ["POST", "/v1/auth/approle/login", "vaultAppRoleLogin"],
    ["GET", "/v1/s%65cret/metadata?list=true", "vaultListObjects"],
    ["HEAD", "/v1/sys/health", "vaultHealth"],
    ["GET", "/v1/secrets/sec_0", "getSecretById"],
    ["DELETE", "/v1/secret/data", undefined],
    ["POST", "/v1/auth//login", undefined],
  ])("what %s %s reaches", (method, target, operationId) => {
    expect(reachedBy(descriptions, method, target).route?.operationId).toBe(operationId);
  });

  it("a refusal that does not say what it wants", async () => {
    expect(await found("/v1/whoami", header({ "www-authenticate": "Basic" }), null)).toMatch(/WWW-Authenticate/);
  });
});
