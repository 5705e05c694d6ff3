import { describe, expect, it } from "vitest";
import { hostMatches, hostPatternSchema, isLoopback, isPublicHost } from "../../src/contract/hosts.ts";

/** Hosts as somebody may write them in a URL: addresses in their notations, and names that are not public. */
const NOT_PUBLIC = [
  ..."127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 0 0.0.0.0 10.0.0.1 169.254.169.254 8.8.8.8 1.1".split(" "),
  ..."127.0.0.1. 127.1. 0x7f. ①②⑦.⓪.⓪.① １２７.0.0.1 127。0。0。1 %31%32%37.0.0.1 %6c%6f%63alhost".split(" "),
  ..."[::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1] [fd00::1] [fe80::1] [2001:4860:4860::8888] [64:ff9b::7f00:1]".split(" "),
  ..."localhost LOCALHOST localhost. foo.localhost ｌocalhost intranet com api.openai.com. api..openai.com .openai.com a.-b.com a.b-.com".split(" "),
  ..."printer.local metadata.google.internal vault.corp router.home.arpa 1.0.0.127.in-addr.arpa x.onion x.alt a.test a.invalid a.example".split(" "),
  ..."instance-data instance-data.ec2.internal instance-data.example.org metadata.tencentyun.com".split(" "),
];

const hostOf = (host: string) => (URL.canParse(`https://${host}/`) ? new URL(`https://${host}/`).hostname : host);

describe("a host is not public", () => {
  it.each(NOT_PUBLIC)("at %s", (host) => {
    expect(isPublicHost(hostOf(host))).toBe(false);
  });
});

describe("a host is public", () => {
  it.each([
    "api.openai.com",
    "API.OpenAI.com",
    "bücher.example.org",
    "xn--bcher-kva.example.org",
    "my_bucket.s3.amazonaws.com",
    "a.b.c.d.museum",
    "1.1.1.1.example.org",
  ])("at %s", (host) => {
    expect(isPublicHost(hostOf(host))).toBe(true);
  });
});

it("knows this machine's own names and addresses", () => {
  const hosts = ["127.0.0.1", "127.1", "127.255.0.3", "[::1]", "[0:0::1]", "localhost", "stripe.localhost"];
  expect(hosts.filter((host) => !isLoopback(hostOf(host)))).toEqual([]);
  expect(["10.0.0.1", "128.0.0.1", "localhost.example.org", "127.0.0.1.example.org", "notlocalhost", "[::2]", "[::ffff:7f00:1]"].filter(isLoopback)).toEqual(
    [],
  );
});

describe("the hosts of a secret", () => {
  it.each(["api.openai.com", "*.openai.azure.com", "*.example.org", "127.0.0.1", "localhost", "*.localhost"])("may be %s", (text) => {
    expect(hostPatternSchema.parse(text)).toBe(text);
  });

  it("are in lower case however they were given", () => {
    expect(hostPatternSchema.parse("*.OpenAI.Azure.com")).toBe("*.openai.azure.com");
  });

  it.each(
    ["", "*", "*.", "*.com", "*.local", "*.corp.internal", "a.*.com", "**.a.com", "*a.com", "*.*.com", "api.openai.com:443", "api.openai.com/"].concat(
      ["https://api.openai.com", "user@api.openai.com", "api.openai.com.", "bücher.example.org", "10.0.0.1", "*.127.0.0.1", "*.[::1]", " api.openai.com"],
      ["api.openai.com\n", `${"a".repeat(64)}.com`, `${"a.".repeat(127)}com`],
    ),
  )("may not be %j", (text) => {
    expect(hostPatternSchema.safeParse(text).success).toBe(false);
  });

  it.each([
    ["api.openai.com", "api.openai.com", true],
    ["api.openai.com", "x.api.openai.com", false],
    ["api.openai.com", "api.openai.com.", false],
    ["*.openai.com", "api.openai.com", true],
    ["*.openai.com", "a.b.openai.com", true],
    ["*.openai.com", "openai.com", false],
    ["*.openai.com", ".openai.com", false],
    ["*.openai.com", "evilopenai.com", false],
    ["*.openai.com", "api.openai.com.evil.org", false],
  ])("%s takes %s: %s", (pattern, host, taken) => {
    expect(hostMatches(hostPatternSchema.parse(pattern), host)).toBe(taken);
  });
});
