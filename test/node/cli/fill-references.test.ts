import fc from "fast-check";
import { parse as parseToml, stringify as stringifyToml } from "smol-toml";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { fillReferences } from "../../../src/cli/references/fill-references.ts";
import { type ConfigFormat, findReferences } from "../../../src/cli/references/find-references.ts";
import { resolveRefs } from "../../../src/client/resolve-refs.ts";

const VALUE = "x\u{1f600}y é\u007f\t\u2028";

function fill(text: string, format: ConfigFormat, value = 's3 "cr": #t', as = "api_key"): string {
  const { names, edits } = findReferences(text, format, as);
  return fillReferences(text, format, edits, new Map(names.map((name) => [name, value])));
}

it.each([
  ["yaml", "\\U0001f600"],
  ["json", "\\ud83d\\ude00"],
] as const)("a character outside the basic plane is written as every parser of %s reads it", (format, written) => {
  const filled = fill('{"key": {"secret_key_ref": {"store": "A"}}}', format, VALUE);
  expect(filled).toBe(`{"key": "x${written}y \\u00e9\\u007f\\t\\u2028"}`);
  expect(format === "json" ? JSON.parse(filled) : parse(filled)).toEqual({ key: VALUE });
});

describe("a reference is replaced where it is, and nothing else is", () => {
  const Q = '"s3 \\"cr\\": #t"';
  it.each<[string, ConfigFormat, string, string]>([
    [
      "beside other keys",
      "yaml",
      "t:\n  - id: a # one\n    secret_key_ref:\n      store: openai-key # k\n    url: u\n",
      `t:\n  - id: a # one\n    api_key: ${Q} # k\n    url: u\n`,
    ],
    ["first of its keys", "yaml", "- secret_key_ref: {store: a}\n  id: 1\n- id: 2\n", `- api_key: ${Q}\n  id: 1\n- id: 2\n`],
    ["with a remark in between", "yaml", "a: 1\nsecret_key_ref: # from\n  # Keyhole\n  store: a\n", `a: 1\napi_key: # from\n  # Keyhole\n  ${Q}\n`],
    ["beside a merge, in flow", "yaml", "d: &d {u: 1}\na: {<<: *d, 'secret_key_ref': {store: a}}\n", `d: &d {u: 1}\na: {<<: *d, api_key: ${Q}}\n`],
    ["alone under an anchor", "yaml", "a: &a {secret_key_ref: {store: a}}\nb: *a\n", `a: &a ${Q}\nb: *a\n`],
    ["with Windows line ends", "yaml", "a:\r\n  secret_key_ref:\r\n    store: a\r\nb: 1\r\n", `a: ${Q}\r\nb: 1\r\n`],
    ["within a text", "yaml", "h: Bearer ${keyhole:a} # x\n", 'h: "Bearer s3 \\"cr\\": #t" # x\n'],
    ["within a block of text", "yaml", "c: |\n  p: ${keyhole:a}\n  q: 1\n\nd: 1\n", 'c: |\n  p: s3 "cr": #t\n  q: 1\n\nd: 1\n'],
    ["beside other keys", "json", '{"a": 1,\n "secret_key_ref" : {"store": "a"}}', `{"a": 1,\n "api_key" : ${Q}}`],
    [
      "between comments",
      "jsonc",
      '{// {"secret_key_ref": 1}\n"a": {"secret_key_ref": /* b */ {"store": "a"}, "c": "${keyhole:a}",},}',
      `{// {"secret_key_ref": 1}\n"a": {"api_key": /* b */ ${Q}, "c": ${Q},},}`,
    ],
    ["in a table", "toml", 'x = 1 # one\n[[t]]\nid = "a"\nsecret_key_ref = { store = "a" } # k\n', `x = 1 # one\n[[t]]\nid = "a"\napi_key = ${Q} # k\n`],
    [
      "in a table, by a dotted key",
      "toml",
      "[a]\nu = '''\nu'''\nsecret_key_ref.store = 'a'\n[a.b]\nc = 1\n",
      `[a]\nu = '''\nu'''\napi_key = ${Q}\n[a.b]\nc = 1\n`,
    ],
    [
      "alone in an inline table",
      "toml",
      "k = [{ secret_key_ref = { store = \"a\" } }]\nh = 'Bearer ${keyhole:a}'\n",
      `k = [${Q}]\nh = "Bearer s3 \\"cr\\": #t"\n`,
    ],
  ])("%s (%s)", (_, format, before, after) => expect(fill(before, format)).toBe(after));

  it.each(["see ${keyhole:a}", "not ${keyhole:other}", "no ${keyhole:"])("not in the comment of a block: # %s", (comment) => {
    const text = `c: | # ${comment}\n  p: \${keyhole:a}\n`;
    expect(findReferences(text, "yaml", "api_key").names).toEqual(["a"]);
    expect(fill(text, "yaml", "v")).toBe(`c: | # ${comment}\n  p: v\n`);
    expect(fill(`${text}d: 1\n`, "yaml", "1\n2")).toBe(`c: "p: 1\\n2\\n" # ${comment}\nd: 1\n`);
  });

  it("a value of several lines makes a quoted text of a block", () => {
    const filled = fill("c: |\n  p: ${keyhole:a}\n  q: 1\nd: 1\n", "yaml", "one\n  two\n");
    expect(parse(filled)).toEqual({ c: "p: one\n  two\n\nq: 1\n", d: 1 });
  });

  it("under another key", () => expect(fill("a: 1\nsecret_key_ref: {store: a}\n", "yaml", "v", "token")).toBe('a: 1\ntoken: "v"\n'));
});

describe("what is no reference, or could not be one's place, is refused with its own line", () => {
  it.each<[string, ConfigFormat, string, RegExp]>([
    ["a name", "yaml", "a: 1\nb:\n  c: 1\n  secret_key_ref: openai-key\n", /^line 4: secret_key_ref is a text/],
    ["an alias", "yaml", "r: &r {store: a}\nb: {secret_key_ref: *r, c: 1}\n", /^line 2: secret_key_ref is an alias/],
    ["nothing", "yaml", "a:\n  secret_key_ref:\n", /^line 2: .* with a name$/],
    ["more than a store", "json", '{"a":\n{"secret_key_ref": {"store": "a", "version": 1}}}', /^line 2: .* whose one key is store/],
    ["no name of a secret", "yaml", "secret_key_ref: {store: a b}\n", /^line 1: that is not the name/],
    ["an anchor within", "yaml", "b: {secret_key_ref: &r {store: a}, c: 1}\n", /^line 1: .* has an anchor/],
    ["a tag within", "yaml", "c: 1\nsecret_key_ref: !!map {store: a}\n", /^line 2: .* a tag/],
    ["a tag around", "yaml", "c: !!map\n  secret_key_ref: {store: a}\n", /^line 2: .* has a tag/],
    ["an explicit key", "yaml", "c: 1\n? secret_key_ref\n: {store: a}\n", /^line 2: .* after \?/],
    ["merged from elsewhere", "yaml", "a: &a {secret_key_ref: {store: a}}\nb:\n  <<: [*a]\n  c: 1\n", /^line 3: what << merges/],
    ["merged in place", "yaml", "b:\n  <<: {secret_key_ref: {store: a}}\n", /^line 2: what << merges/],
    ["a key that is taken", "yaml", "b:\n  api_key: x\n  secret_key_ref: {store: a}\n", /^line 3: api_key is there already/],
    ["twice", "json", '{"secret_key_ref": {"store": "a"},\n"secret_key_ref": {"store": "b"}}', /^line 2: there are two/],
    ["an unfinished text", "yaml", "a: 1\nb: x ${keyhole:a\n", /^line 2: \$\{keyhole:NAME\}/],
    ["an unfinished text in a block", "yaml", "a: |\n  ${keyhole:a}\n  ${keyhole:b\n", /^line 3: \$\{keyhole:NAME\}/],
    ["no name in a text", "json", '{"a": "${keyhole:}"}', /^line 1: \$\{keyhole:NAME\}/],
    ["alone in a table", "toml", "x = 1\n[a]\nsecret_key_ref.store = 'a'\n", /^line 3: a table with nothing but/],
    ["a table of its own", "toml", "[a]\nu = 1\n[a.secret_key_ref]\nstore = 'a'\n", /^line 3: this form/],
    ["below a dotted key", "toml", "a.secret_key_ref.store = 'a'\n", /^line 1: this form/],
    ["comments in JSON", "json", '{"a": 1 // b\n}', /^the file is not JSON/],
    ["no TOML", "toml", "a = 1\nb = ]\n", /^the file is not TOML: line 2/],
  ])("%s (%s)", (_, format, text, message) => expect(() => findReferences(text, format, "api_key")).toThrow(message));
});

it.each<[string, ConfigFormat, string]>([
  ["a reference within a text", "yaml", "data: |\n  secret_key_ref: {store: a}\n"],
  ["a reference within a text", "json", '{"data":\n "{\\"secret_key_ref\\": {\\"store\\": \\"a\\"}}"}'],
  ["a reference within a key", "yaml", "a: 1\n${keyhole:a}: 1\n"],
])("%s (%s) is told, with its line", (_, format, text) => {
  const { names, unfilled } = findReferences(text, format, "api_key");
  expect([names, unfilled]).toEqual([[], [expect.stringMatching(/^line 2: /)]]);
});

describe("what is rendered reads as what the client resolves", () => {
  const name = fc.constantFrom("A", "b-2", "_c.d");
  const text = fc.oneof(fc.string({ unit: "grapheme" }), fc.constantFrom("on", "- a", "# b", "a: b", "x\n\n  y\n", "  z", "\ttab", "null"));
  const leaf = fc.oneof(text, fc.integer(), fc.boolean());
  const filledText = fc.tuple(text, name, text).map(([before, one, after]) => `${before}\${keyhole:${one}}${after}`);
  const ref = name.map((store) => ({ store }));
  const key = fc.constantFrom("k", "url", "a b", "é");
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      filledText,
      ref.map((secret_key_ref) => ({ secret_key_ref })),
      fc.array(tie("tree"), { maxLength: 3 }),
      fc.dictionary(key, tie("tree"), { maxKeys: 3 }),
      fc
        .tuple(fc.dictionary(key, tie("tree"), { minKeys: 1, maxKeys: 2 }), ref, fc.boolean())
        .map(([beside, secret_key_ref, first]) => (first ? { secret_key_ref, ...beside } : { ...beside, secret_key_ref })),
    ),
  }));
  const config = fc.dictionary(key, tree, { minKeys: 1, maxKeys: 3 });
  const values = fc.record({ A: text, "b-2": text, "_c.d": fc.constantFrom("tame", "---", "two\nlines") });

  const formats: [ConfigFormat, (value: unknown) => string, (text: string) => unknown][] = [
    ["yaml", (value) => stringify(value, { aliasDuplicateObjects: false, lineWidth: 40 }), parse],
    ["json", (value) => JSON.stringify(value, null, 1), JSON.parse],
    ["jsonc", (value) => `// first\n${JSON.stringify(value)}/* last */`, (filled) => JSON.parse(filled.replace("// first", "").replace("/* last */", ""))],
    ["toml", stringifyInline, parseToml],
  ];
  it.each(formats)("%s", (format, write, read) => {
    return fc.assert(
      fc.asyncProperty(config, values, async (config, values) => {
        const resolve = async ({ names = [] }: { names?: readonly string[] | undefined }) =>
          ({ secrets: Object.fromEntries(names.map((name) => [name, { value: values[name as "A"] }])) }) as never;
        const { edits } = findReferences(write(config), format, "api_key");
        const filled = fillReferences(write(config), format, edits, new Map(Object.entries(values)));
        expect(read(filled)).toEqual(await resolveRefs({ resolve }, config));
      }),
      { numRuns: 150 },
    );
  });
});

/** TOML whose tables are all in one line, as a table of its own cannot become a value. */
function stringifyInline(value: unknown): string {
  const inline = (node: unknown): string => {
    if (Array.isArray(node)) return `[${node.map(inline).join(", ")}]`;
    if (typeof node !== "object" || node === null) return stringifyToml({ x: node }).slice("x = ".length).trimEnd();
    return `{ ${Object.entries(node)
      .map(([key, item]) => `${JSON.stringify(key)} = ${inline(item)}`)
      .join(", ")} }`;
  };
  return Object.entries(value as object)
    .map(([key, item]) => `${JSON.stringify(key)} = ${inline(item)}\n`)
    .join("");
}
