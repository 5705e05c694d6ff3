import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyOfName, nameOfKey } from "../../src/contract/object-key.ts";
import { type Scope, scopeSchema } from "../../src/contract/scope.ts";
import { secretNameSchema } from "../../src/contract/secret-name.ts";
import { objectPathOf, parseObjectPath } from "../../src/contract/vault-path.ts";

const plain = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,20}$/);
/** Keys of all kinds, with many that look encoded, also more than once. */
const key = fc.oneof(
  plain,
  fc.string({ unit: "binary", minLength: 1, maxLength: 12 }),
  fc.stringMatching(/^(_x\.){1,3}[A-Za-z0-9_.-]{0,8}$/),
  fc.stringMatching(/^(_x\.){1,2}(-[0-9A-F]{2}){1,4}$/),
);
const stored = (text: string) => {
  const name = nameOfKey(text);
  return "name" in name ? name.name : undefined;
};

describe("the name under which a key of an object is stored", () => {
  it("is the name of a secret, and says which key it was", () => {
    fc.assert(
      fc.property(key, (text) => {
        const name = stored(text);
        if (name === undefined) return;
        expect(secretNameSchema.safeParse(name).success).toBe(true);
        expect(keyOfName(name)).toBe(text);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is of no other key", () => {
    fc.assert(
      fc.property(key, key, (a, b) => {
        const [one, other] = [stored(a), stored(b)];
        if (one !== undefined && a !== b) expect(one).not.toBe(other);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is that of a native secret for the key that is shown of it", () => {
    fc.assert(
      fc.property(fc.oneof(plain, fc.stringMatching(/^_x\.[A-Za-z0-9_.-]{1,16}$/)), (name) => {
        expect(stored(keyOfName(name))).toBe(name);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["OPENAI_API_KEY", "OPENAI_API_KEY"],
    [".dockerconfigjson", "_x..dockerconfigjson"],
    ["2fa", "_x.2fa"],
    ["a b", "_x.a-20b"],
    ["ü", "_x.-C3-BC"],
    ["_x.2fa", "_x._x.2fa"],
    ["_x.plain", "_x.plain"],
  ])("of %s is %s", (text, name) => {
    expect(stored(text)).toBe(name);
  });

  it.each(["", "__proto__", "\ud800", "x".repeat(129), " ".repeat(42)])("is none of a key that is empty, no text, or too long: %j", (text) => {
    expect(stored(text)).toBeUndefined();
  });
});

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,10}$/);
const part = fc.oneof(fc.stringMatching(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,10}$/), fc.constantFrom("team", "Team", "REPO", "global", "builtin", "..a", ".github"));
const scope = fc.oneof(
  fc.constant("global"),
  fc.tuple(fc.constantFrom("team", "namespace", "agent"), name).map(([kind, rest]) => `${kind}:${rest}`),
  fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => `repo:${parts.join("/")}`),
);

describe("the path of an object", () => {
  it("says its scope again", () => {
    fc.assert(
      fc.property(scope, (text) => {
        expect(scopeSchema.safeParse(text).success).toBe(true);
        expect(parseObjectPath(objectPathOf(text as Scope).split("/"))).toEqual({ scope: text });
      }),
      { numRuns: 1_000 },
    );
  });

  it("is that of a scope, or says why not, whatever it is", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(part, fc.string()), { maxLength: 5 }), (segments) => {
        const parsed = parseObjectPath(segments);
        if ("scope" in parsed) expect(scopeSchema.safeParse(parsed.scope).success).toBe(true);
        else expect(parsed.reason).not.toBe("");
      }),
      { numRuns: 1_000 },
    );
  });

  it.each([
    ["myapp/config", "repo:myapp/config"],
    ["global", "global"],
    ["team/pay", "team:pay"],
    ["repo/team/x", "repo:team/x"],
    ["repo/acme/api", "repo:acme/api"],
  ])("%s is that of %s", (path, of) => {
    expect(parseObjectPath(path.split("/"))).toEqual({ scope: of });
  });

  it.each(["team/pay/db", "team", "Team/pay", "GLOBAL", "global/x", "builtin", "builtin/x", "repo", "", "a//b", "a/../b", "./a", "namespace/a b"])(
    "%s is none",
    (path) => {
      expect(parseObjectPath(path.split("/"))).toHaveProperty("reason");
    },
  );

  it("has no part that holds a slash", () => {
    expect(parseObjectPath(["acme/api", "x"])).toHaveProperty("reason");
  });
});
