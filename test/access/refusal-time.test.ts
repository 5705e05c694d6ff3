import { afterEach, beforeAll, expect, it, vi } from "vitest";
import { call } from "../support/call.ts";
import { sign, type TokenClaims } from "../support/sign.ts";

// The first request of all makes the configuration, which tries its keys.
beforeAll(async () => void (await call("GET /v1/whoami", { token: await sign() })));
afterEach(() => void vi.restoreAllMocks());

/** How many signatures are looked at to answer a token. */
async function signaturesFor(token: string, status: number): Promise<number> {
  const verify = vi.spyOn(crypto.subtle, "verify");
  expect((await call("GET /v1/whoami", { token })).status).toBe(status);
  const { length } = verify.mock.calls;
  verify.mockRestore();
  return length;
}

it("looks at the signature of a token whose claims hold", async () => {
  expect(await signaturesFor(await sign(), 200)).toBe(1);
});

it.each<[string, TokenClaims]>([
  ["expired", { exp: 1 }],
  ["not valid yet", { nbf: 9_999_999_999 }],
  ["for another audience", { aud: "elsewhere" }],
])("looks at no signature of a token that is %s: the time of the refusal says nothing of it", async (_, claims) => {
  expect(await signaturesFor(await sign(claims), 401)).toBe(0);
});
