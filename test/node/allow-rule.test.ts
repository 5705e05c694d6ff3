import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allowRuleSchema, findAllowRule, pathMatches, pathPatternSchema } from "../../src/contract/allow-rule.ts";
import { type PathRefusal, parseRequestPath, type RequestPath } from "../../src/contract/request-path.ts";
import { isSendableQuery } from "../../src/contract/request-query.ts";

fc.configureGlobal({ seed: Number(process.env.TEST_SEED) });

function path(raw: string): RequestPath {
  const parsed = parseRequestPath(raw);
  if (typeof parsed === "string") throw new Error(`${raw}: ${parsed}`);
  return parsed;
}

describe("the path of a request", () => {
  it.each<[string, PathRefusal]>([
    ["", "not-a-path"],
    ["v1/models", "not-a-path"],
    ["/a/../b", "dot-segment"],
    ["/a/.", "dot-segment"],
    ["/a/%2e%2E/b", "dot-segment"],
    ["/a/.%2e", "dot-segment"],
    ["/a/%252e%252e/b", "dot-segment"],
    ["/a/%25252e./b", "dot-segment"],
    ["/a/..;x=1/b", "dot-segment"],
    ["/a/..%2Fb", "dot-segment"],
    ["/files/x%2f..%2f..%2fadmin", "dot-segment"],
    ["/a\\b", "backslash"],
    ["/a%5cb", "backslash"],
    ["/a%00", "control-character"],
    ["/a%0d%0aX: y", "not-encoded"],
    ["/a%0d%0a", "control-character"],
    ["/a%7f", "control-character"],
    ["/a%c2%85", "control-character"],
    ["/a\nb", "control-character"],
    ["/a%252Fb", "doubly-encoded"],
    ["/a%252525%32fb", "doubly-encoded"],
    ["/a%255Cb", "doubly-encoded"],
    ["/a%2500", "doubly-encoded"],
    ["/a%250a", "doubly-encoded"],
    ["/a b", "not-encoded"],
    ["/ä", "not-encoded"],
    ["/a?b", "not-encoded"],
    ["/a#b", "not-encoded"],
    ["/a{b}", "not-encoded"],
    ["/a%", "not-encoded"],
    ["/a%zz", "not-encoded"],
    ["/a%ff", "not-encoded"],
    ["/a%c0%ae%c0%ae/b", "not-encoded"],
  ])("%j is refused: %s", (raw, refusal) => {
    expect(parseRequestPath(raw)).toBe(refusal);
  });

  it.each([
    ["/", [""]],
    ["/v1/models", ["v1", "models"]],
    ["/api/v4/projects/group%2Fproject/issues", ["api", "v4", "projects", "group/project", "issues"]],
    ["/a/...", ["a", "..."]],
    ["/a/.github", ["a", ".github"]],
    ["/a/100%25", ["a", "100%"]],
    ["/a/%C3%A4:b@c;d=1", ["a", "ä:b@c;d=1"]],
    ["/a//b/", ["a", "", "b", ""]],
  ])("%j is %j", (raw, segments) => {
    expect(parseRequestPath(raw)).toEqual({ raw, segments });
  });

  const piece = fc.oneof(
    fc.constantFrom(
      "/",
      ".",
      "..",
      "%2e",
      "%2E",
      "%2f",
      "%5c",
      "\\",
      "%25",
      "%00",
      "%",
      "a",
      "*",
      ";",
      "?",
      "#",
      "ä",
      "%c3%a4",
      " ",
      "|",
      "[",
      "'",
      '"',
      "^",
      "\t",
    ),
    fc.string({ maxLength: 2 }),
  );
  const hostile = fc.array(piece, { maxLength: 12 }).map((pieces) => `/${pieces.join("")}`);

  it("is sent as it arrived or not at all: the URL parser changes nothing in one that is taken", () => {
    fc.assert(
      fc.property(hostile, (raw) => {
        const parsed = parseRequestPath(raw);
        if (typeof parsed === "string") return;
        expect(new URL(`https://api.example.org${parsed.raw}`).pathname).toBe(raw);
      }),
      { numRuns: 1000 },
    );
  });

  it("stays below what is allowed however often a server decodes it and takes its dots away", () => {
    fc.assert(
      fc.property(hostile, (rest) => {
        const parsed = parseRequestPath(`/allowed${rest}`);
        if (typeof parsed === "string" || !pathMatches("/allowed/**", parsed)) return;
        let raw = parsed.raw;
        for (let times = 0; times < 4; times++) {
          expect(new URL(`https://api.example.org${raw.replace(/\/+/g, "/").replace(/[?#]/g, "_")}`).pathname).toMatch(/^\/allowed(?:\/|$)/);
          raw = raw.replace(/%25/g, "%").replace(/%2f/gi, "/").replace(/%2e/gi, ".").replace(/%5c/gi, "\\").replace(/%3b/gi, ";");
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("has a query that the URL parser leaves as it is, but for an apostrophe", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), hostile), (query) => {
        if (!isSendableQuery(query) || query === "") return;
        expect(new URL(`https://api.example.org/?${query}`).search).toBe(`?${query.replaceAll("'", "%27")}`);
      }),
      { numRuns: 500 },
    );
    expect(["a=1&b=%zz", "q=x'y", "a[]=1", "%0a"].map(isSendableQuery)).toEqual([true, true, true, true]);
    expect(["a b", "a#b", "ä", "a\n", '"', "<"].map(isSendableQuery)).toEqual([false, false, false, false, false, false]);
  });
});

describe("a path that is allowed", () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ["/v1/models", ["/v1/models", "/v1/%6dodels"], ["/v1/models/", "/v1/models/x", "/V1/models", "/v1/model", "/", "//v1/models", "/v1//models"]],
    ["/v1/models/", ["/v1/models/"], ["/v1/models", "/v1/models//"]],
    ["/v1/models/**", ["/v1/models", "/v1/models/", "/v1/models/a", "/v1/models/a/b//c"], ["/v1/modelsx", "/v1", "/v1//models/a"]],
    ["/**", ["/", "/a", "/a/b", "//"], []],
    ["/repos/*/issues", ["/repos/x/issues", "/repos/a%2Fb/issues"], ["/repos//issues", "/repos/issues", "/repos/a/b/issues"]],
    ["/v1/ft-*", ["/v1/ft-", "/v1/ft-1"], ["/v1/ft", "/v1/ft-1/x"]],
    ["/a%2Fb/*", ["/a%2fb/c"], ["/a/b/c"]],
    ["/a/%2A", ["/a/*", "/a/%2a"], ["/a/b"]],
    ["/", ["/"], ["//", "/a"]],
  ])("%s", (pattern, matched, others) => {
    expect(pathPatternSchema.safeParse(pattern).success).toBe(true);
    expect([...matched, ...others].filter((raw) => pathMatches(pattern, path(raw)))).toEqual(matched);
  });

  it.each([
    "",
    "v1",
    "*",
    "/a*b",
    "/**/a",
    "/a/**b",
    "/***",
    "/a//b",
    "/a//**",
    "/a/../b",
    "/a/.",
    "/a b",
    "/a?b",
    "/a%",
    "/a\\b",
    "/a%252f",
    `/${"a".repeat(1024)}`,
  ])("is not %j", (pattern) => {
    expect(pathPatternSchema.safeParse(pattern).success).toBe(false);
  });

  it("is matched segment by segment, as a slow reading of the rule says", () => {
    const segment = fc.constantFrom("a", "ab", "b", "", "a%2Fb");
    const patternSegment = fc.constantFrom("a", "ab", "a*", "*", "b");
    fc.assert(
      fc.property(
        fc.array(patternSegment, { minLength: 1, maxLength: 3 }),
        fc.boolean(),
        fc.array(segment, { minLength: 1, maxLength: 4 }),
        (wanted, rest, segments) => {
          const source = wanted.map((part) => `/${part === "*" ? "[^/]+" : part.replace("*", "[^/]*")}`).join("");
          const slow = new RegExp(`^${source}${rest ? "(?:/.*)?" : ""}$`);
          const raw = `/${segments.join("/")}`;
          expect(pathMatches(`/${wanted.join("/")}${rest ? "/**" : ""}`, path(raw))).toBe(slow.test(raw));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe("a rule", () => {
  const git = allowRuleSchema.parse({ methods: ["GET"], paths: ["/acme/*/info/refs"], query: { service: "git-upload-pack" } });
  const dynamo = allowRuleSchema.parse({ methods: ["POST"], paths: ["/"], targets: ["DynamoDB_20120810.Get*", "DynamoDB_20120810.Query"] });
  const asked = { method: "GET", path: path("/acme/api/info/refs"), query: "service=git-upload-pack", target: null };

  it.each([
    ["service=git-upload-pack", true],
    ["x=1&%73ervice=git-upload-pack", true],
    ["", false],
    ["service=git-receive-pack", false],
    ["service=git-upload-pack&service=git-receive-pack", false],
    ["service=git-upload-pack&service=git-upload-pack", false],
    ["x=1;service=git-receive-pack&service=git-upload-pack", false],
    ["service=git-upload-pack%00", false],
  ])("with a query takes %j: %s", (query, taken) => {
    expect(findAllowRule([git], { ...asked, query })).toBe(taken ? 0 : -1);
  });

  it.each([
    ["DynamoDB_20120810.GetItem", true],
    ["DynamoDB_20120810.Query", true],
    ["DynamoDB_20120810.QueryX", false],
    ["DynamoDB_20120810.PutItem", false],
    ["DynamoDB_20120810.PutItem, DynamoDB_20120810.GetItem", false],
    [null, false],
  ])("with targets takes %j: %s", (target, taken) => {
    expect(findAllowRule([git, dynamo], { method: "POST", path: path("/"), query: "", target })).toBe(taken ? 1 : -1);
  });

  it("does not let a method stand for another", () => {
    expect(["HEAD", "get", "POST", ""].map((method) => findAllowRule([git], { ...asked, method }))).toEqual([-1, -1, -1, -1]);
  });

  it.each([
    [{ methods: [], paths: ["/"] }],
    [{ methods: ["GET"], paths: [] }],
    [{ methods: ["get"], paths: ["/"] }],
    [{ methods: ["CONNECT"], paths: ["/"] }],
    [{ methods: ["*"], paths: ["/"] }],
    [{ paths: ["/"] }],
    [{ methods: ["GET"] }],
    [{ methods: ["GET"], paths: ["/"], query: {} }],
    [{ methods: ["GET"], paths: ["/"], targets: [] }],
    [{ methods: ["GET"], paths: ["/"], hosts: ["x"] }],
  ])("is not %j", (rule) => {
    expect(allowRuleSchema.safeParse(rule).success).toBe(false);
  });
});
