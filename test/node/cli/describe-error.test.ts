import { expect, it } from "vitest";
import { describeError } from "../../../src/cli/describe-error.ts";
import { KeyholeError } from "../../../src/client/create-client.ts";

it("a 429 asks to try later, with exit code 5, also where it is not the service's own", () => {
  const own = describeError(new KeyholeError("rate-limited", "Too many.", { status: 429 }));
  const foreign = describeError(new KeyholeError("unexpected-reply", "Is this the address of the service?", { status: 429 }));
  expect([own, foreign].map(({ hint, exitCode }) => [hint, exitCode])).toEqual(Array(2).fill(["wait a little, then try again", 5]));
  expect(foreign.message).not.toContain("address");
});

it.each([
  [new KeyholeError("exchange-unavailable", "temporarily_unavailable: No.", { status: 503 }), "try again in a while", 5],
  [new KeyholeError("exchange-refused", "invalid_request: No.", { status: 400 }), "check KEYHOLE_TRUST", 4],
  [new KeyholeError("unexpected-reply", "Is this the address of the service?", { status: 502 }), "try again in a while", 5],
  [new KeyholeError("unexpected-reply", "Is this the address of the service?", { status: 404 }), "check the address", 3],
])("a hint follows the status (%#)", (error, hint, exitCode) => {
  expect(describeError(error)).toMatchObject({ hint: expect.stringContaining(hint), exitCode });
});
