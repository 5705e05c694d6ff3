import { expect, it } from "vitest";
import { describeError } from "../../../src/cli/describe-error.ts";
import { proxyFor } from "../../../src/cli/proxied-fetch.ts";
import { KeyholeError } from "../../../src/client/create-client.ts";

it("a 429 asks to try later, with exit code 5, also where it is not the service's own", () => {
  const own = describeError(new KeyholeError("rate-limited", "Too many.", { status: 429 }));
  const foreign = describeError(new KeyholeError("unexpected-reply", "Is this the address of the service?", { status: 429 }));
  expect([own, foreign].map(({ hint, exitCode }) => [hint, exitCode])).toEqual(Array(2).fill(["wait a little, then try again", 5]));
  expect(foreign.message).not.toContain("address");
});

it("a write that others always came before asks to try later too", () => {
  const { message, hint, exitCode } = describeError(new KeyholeError("write-conflict", "Others kept writing.", { status: 409 }));
  expect([message, hint, exitCode]).toEqual(["Others kept writing.", "something else writes the same thing; try again in a moment", 5]);
});

it.each([
  [new KeyholeError("exchange-unavailable", "temporarily_unavailable: No.", { status: 503 }), "try again in a while", 5],
  [new KeyholeError("exchange-refused", "invalid_request: No.", { status: 400 }), "check KEYHOLE_TRUST", 4],
  [new KeyholeError("unexpected-reply", "Is this the address of the service?", { status: 502 }), "try again in a while", 5],
  [new KeyholeError("unexpected-reply", "Is this the address of the service?", { status: 404 }), "check the address", 3],
])("a hint follows the status (%#)", (error, hint, exitCode) => {
  expect(describeError(error)).toMatchObject({ hint: expect.stringContaining(hint), exitCode });
});

it.each([
  ["https://a.example", { HTTPS_PROXY: "http://p:1", HTTP_PROXY: "http://q:1" }, "http://p:1"],
  ["http://a.example", { HTTPS_PROXY: "http://p:1" }, undefined],
  ["http://a.example", { http_proxy: "q:1" }, "http://q:1"],
  ["https://a.example", { https_proxy: "http://l:1", HTTPS_PROXY: "http://p:1" }, "http://l:1"],
  ["https://localhost:8787", { HTTPS_PROXY: "http://p:1" }, undefined],
  ["https://[::1]:8787", { HTTPS_PROXY: "http://p:1" }, undefined],
  ["https://a.example", { HTTPS_PROXY: "http://p:1", NO_PROXY: "b.example, example" }, undefined],
  ["https://a.example", { HTTPS_PROXY: "http://p:1", NO_PROXY: "*.example" }, undefined],
  ["https://a.example", { HTTPS_PROXY: "http://p:1", no_proxy: "*" }, undefined],
  ["https://ba.example", { HTTPS_PROXY: "http://p:1", NO_PROXY: "a.example" }, "http://p:1"],
  ["https://a.example", { HTTPS_PROXY: "http://p:1", NO_PROXY: "a.example:8443" }, "http://p:1"],
  ["https://a.example:8443", { HTTPS_PROXY: "http://p:1", NO_PROXY: "A.example:8443" }, undefined],
  ["https://10.1.2.3", { HTTPS_PROXY: "http://p:1", NO_PROXY: "10.0.0.0/8" }, undefined],
  ["https://11.1.2.3", { HTTPS_PROXY: "http://p:1", NO_PROXY: "10.0.0.0/8,10.0.0.0/99,11.1.2.4,fd00::/8" }, "http://p:1"],
  ["https://[fd00::2]", { HTTPS_PROXY: "http://p:1", NO_PROXY: "fd00::/8" }, undefined],
])("%s goes by the proxy that the environment names (%j)", (url, environment, proxy) => {
  expect(proxyFor(new URL(url), environment)).toBe(proxy);
});
