import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { contains } from "../../src/contract/pattern.ts";
import { scopeSchema } from "../../src/contract/scope.ts";
import { scopeTemplateSchema } from "../../src/contract/trust.ts";
import { fillTemplate, widestPattern } from "../../src/worker/access/fill-template.ts";

describe("fills", () => {
  it.each([
    ["repo:${repository}", { repository: "acme/api" }, "repo:acme/api"],
    ["repo:${repository}/*", { repository: "acme/api" }, "repo:acme/api/*"],
    ["repo:${project_path}", { project_path: "group/sub/project" }, "repo:group/sub/project"],
    ["repo:acme/${name}", { name: "api" }, "repo:acme/api"],
    ["repo:acme/${name}", { name: ".github" }, "repo:acme/.github"],
    ["repo:${repository}", { repository: "acme/_site" }, "repo:acme/_site"],
    ["repo:${project_path}/*", { project_path: "a/b/c/d/e/f/g/h/i" }, "repo:a/b/c/d/e/f/g/h/i/*"],
    ["repo:acme/${name}", { name: "x".repeat(80) }, `repo:acme/${"x".repeat(80)}`],
    ["repo:${owner}/${name}", { owner: "acme", name: "api" }, "repo:acme/api"],
    ["namespace:${environment}", { environment: "prod" }, "namespace:prod"],
    ["namespace:${https://keyhole.dev/x}", {}, undefined],
    ["namespace:prod-${region}", { region: "eu" }, "namespace:prod-eu"],
    ["global", {}, "global"],
    ["repo:acme/*", {}, "repo:acme/*"],
  ])("%s from %j", (template, claims, expected) => {
    expect(fillTemplate(template, claims)).toBe(expected);
  });
});

describe("refuses", () => {
  const bad = ["a*", "*", "a:b", ":", "a/", "/a", "a//b", "/", "", " ", "a b", "ä", "a\n", "a\u0000", "ａ", "a${x}", "${x}", "..", ".", "a/..", "a/./b", "%2F"];
  const badNames = [...bad, "-a", "_a", ".a"];

  it.each(["repo:${claim}", "repo:acme/${claim}", "repo:${claim}/*", "team:${claim}", "namespace:x-${claim}"])(
    "in %s every value that is no name",
    (template) => {
      const taken = (template.startsWith("repo:") ? bad : badNames).filter((value) => fillTemplate(template, { claim: value }) !== undefined);
      expect(taken).toEqual([]);
    },
  );

  it.each([[undefined], [null], [7], [true], [["acme"]], [{ toString: () => "acme" }], [new String("acme")]])("the value %j, which is no text", (value) => {
    expect(fillTemplate("repo:${claim}", { claim: value })).toBeUndefined();
  });

  it("a claim that every object has", () => {
    for (const claim of ["constructor", "toString", "__proto__"]) expect(fillTemplate(`repo:\${${claim}}`, {})).toBeUndefined();
  });

  it("a path where one name belongs", () => {
    expect(fillTemplate("repo:acme/${claim}", { claim: "a/b" })).toBeUndefined();
    expect(fillTemplate("repo:${a}/${b}", { a: "acme/api", b: "x" })).toBeUndefined();
    expect(fillTemplate("team:${claim}", { claim: "a/b" })).toBeUndefined();
  });

  it("a path of more than twenty parts, a part of more than 100 characters, and a name of more than 64", () => {
    const path = Array(20).fill("a").join("/");
    expect(fillTemplate("repo:${claim}", { claim: path })).toBe(`repo:${path}`);
    expect(fillTemplate("repo:${claim}", { claim: `${path}/i` })).toBeUndefined();
    expect(fillTemplate("repo:${claim}", { claim: "a".repeat(101) })).toBeUndefined();
    expect(fillTemplate("team:${claim}", { claim: "a".repeat(65) })).toBeUndefined();
    expect(fillTemplate("team:x${claim}", { claim: "a".repeat(64) })).toBeUndefined();
  });
});

// Texts near the border: names, separators and what has a meaning in patterns, templates and URLs.
const nasty = fc.oneof(
  fc.stringMatching(/^[A-Za-z0-9._-]{0,8}(?:\/[A-Za-z0-9._-]{0,8}){0,9}$/),
  fc
    .array(fc.constantFrom("a", "acme", "api", "/", "*", ":", ".", "-", "_", "$", "{", "}", "${b}", "%2f", "\\", " ", "\n", "é", "repo:", "global"), {
      maxLength: 8,
    })
    .map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const value = fc.oneof(nasty, nasty, nasty, fc.anything());
const literal = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9-]{0,5}$/);
const template = fc.oneof(
  fc.constantFrom("repo:${a}", "repo:${a}/*", "repo:${a}/${b}", "repo:${a}/${b}/*", "team:${a}", "namespace:${a}-${b}", "agent:${a}"),
  fc
    .tuple(fc.constantFrom("team", "namespace", "agent", "repo"), literal, fc.constantFrom("-", "."), literal)
    .map(([kind, x, dot, y]) => `${kind}:${x}${dot}\${a}${dot}${y}`),
  fc.tuple(literal, literal).map(([x, y]) => `repo:${x}/\${a}/${y}/\${b}`),
);

/** What may stand in a template's places, as a regular expression of our own. */
function mayBecome(text: string): RegExp {
  const name = text.startsWith("repo:") ? "(?!\\.{1,2}(?:/|$))[A-Za-z0-9._-]{1,100}" : "[A-Za-z0-9][A-Za-z0-9._-]{0,63}";
  const whole = /^repo:\$\{a\}(\/\*)?$/.exec(text);
  if (whole) return new RegExp(`^repo:${name}(/${name}){0,19}${whole[1] ? "/\\*" : ""}$`);
  const escaped = text.split(/\$\{[ab]\}/).map((piece) => piece.replace(/[.*/]/g, "\\$&"));
  return new RegExp(`^${escaped.join(name)}$`);
}

describe("whatever the claims say", () => {
  it("a filled template keeps its kind and its literal parts, and stays within the widest pattern that its maker was asked to hold", () => {
    fc.assert(
      fc.property(template, fc.record({ a: value, b: value }, { requiredKeys: [] }), (text, claims) => {
        const filled = fillTemplate(text, claims);
        if (filled === undefined) return;
        expect(filled).toMatch(mayBecome(text));
        expect(contains(widestPattern(text), filled)).toBe(true);
        // And it is one scope exactly, or what lies under one.
        expect(scopeSchema.safeParse(filled.replace(/\/\*$/, "")).success).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it("two workloads with different claims never get the same scope from one place", () => {
    fc.assert(
      fc.property(fc.constantFrom("repo:${a}", "repo:x/${a}", "team:${a}", "repo:${a}/*"), nasty, nasty, (text, one, other) => {
        const [first, second] = [fillTemplate(text, { a: one }), fillTemplate(text, { a: other })];
        if (one !== other && first !== undefined) expect(first).not.toBe(second);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("a template", () => {
  it.each([
    "repo:${owner}*",
    "*:${a}",
    "${kind}:x",
    "${a}",
    "repo:${a",
    "repo:${}",
    "repo:${a}}",
    "repo:$a",
    "repo:${a}:x",
    "repo:**",
    "rep*",
    "secret:${a}",
    "",
  ])("may not be %j", (text) => {
    expect(scopeTemplateSchema.safeParse(text).success).toBe(false);
  });

  it.each(["repo:${repository}", "repo:${a}/*", "repo:acme/${https:x}", "namespace:${environment}", "*", "repo:acme/*", "builtin"])("may be %j", (text) => {
    expect(scopeTemplateSchema.safeParse(text).success).toBe(!text.includes("//"));
  });
});
