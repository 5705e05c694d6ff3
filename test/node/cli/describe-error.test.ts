import { expect, it } from "vitest";
import { describeError } from "../../../src/cli/describe-error.ts";
import { KeyholeError } from "../../../src/client/create-client.ts";

it("a 429 asks to try later, with exit code 5, also where it is not the service's own", () => {
  const own = describeError(new KeyholeError("rate-limited", "Too many.", { status: 429 }));
  const foreign = describeError(new KeyholeError("unexpected-reply", "Is this the address of the service?", { status: 429 }));
  expect([own, foreign].map(({ hint, exitCode }) => [hint, exitCode])).toEqual(Array(2).fill(["wait a little, then try again", 5]));
  expect(foreign.message).not.toContain("address");
});

it("a write that others always came before asks to try later too", () => {
  const { message, hint, exitCode } = describeError(new KeyholeError("write-conflict", "Others kept writing.", { status: 409 }));
  expect([message, hint, exitCode]).toEqual(["Others kept writing.", "many write the same thing at once; try again in a moment", 5]);
});
