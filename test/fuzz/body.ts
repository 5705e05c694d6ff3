import fc from "fast-check";
import type { Api, Route, Schema } from "./api.ts";
import { schemaOf } from "./api.ts";
import { CANARY, hostileText, hostileValue } from "./hostile.ts";
import { type Known, NAMES, VALUES, validFor } from "./valid.ts";

/** A body as it goes over the wire, and what its Content-Type says it is. */
export interface Body {
  readonly type: string | undefined;
  readonly bytes: Uint8Array;
}

const TYPES = [
  ...["application/json", "text/plain", "application/octet-stream", "application/x-www-form-urlencoded", "multipart/form-data", "text/html", ""],
  ...["multipart/form-data; boundary=x", "application/JSON;charset=utf-16", "text/plain; charset=latin1", "text/plain;charset=", "application/problem+json"],
  ...["application/json, text/plain", "json", "a/b;".repeat(500), "application/x-www-form-urlencoded;x", "text/plainx", "xtext/plain", "application/jsonp"],
];

const bytesOf = (text: string) => new TextEncoder().encode(text);

/** The bodies that a route is sent: those it describes, those that are nearly so, and others. */
export function bodyFor(api: Api, known: Known, route: Route): fc.Arbitrary<Body> {
  const described = Object.entries(route.requestBody?.content ?? {});
  const good = described.map(([type, { schema = {} }]) => {
    const bytes = /json/.test(type)
      ? validFor(api, known, schema).map((value) => bytesOf(JSON.stringify(value)))
      : /form/.test(type)
        ? form(api, known, schema)
        : raw;
    return bytes.map((sent): Body => ({ type, bytes: sent }));
  });
  const bad = described
    .filter(([type]) => /json/.test(type))
    .map(([type, { schema = {} }]) => nearlyJson(api, known, schema).map((text) => ({ type, bytes: bytesOf(text) })));
  const others = fc.record({ type: fc.option(fc.constantFrom(...TYPES), { nil: undefined }), bytes: fc.oneof(raw, hostileJson.map(bytesOf)) });
  const weighted = [
    ...good.map((arbitrary) => ({ weight: 6, arbitrary })),
    ...bad.map((arbitrary) => ({ weight: 8, arbitrary })),
    { weight: 3, arbitrary: others },
  ];
  const retyped = fc.tuple(fc.oneof(...weighted), fc.constantFrom(...TYPES)).map(([body, type]) => ({ ...body, type }));
  return fc.oneof({ weight: 12, arbitrary: fc.oneof(...weighted) }, { weight: 1, arbitrary: retyped });
}

function form(api: Api, known: Known, schema: Schema): fc.Arbitrary<Uint8Array> {
  const good = validFor(api, known, schema).map((value) => Object.entries(value as Record<string, string>));
  const real = good.map((pairs) => pairs.map(([name, text]) => [name, { grant_type: GRANT, subject_token_type: JWT, audience: "acme/github" }[name] ?? text]));
  const own = good.map((pairs) =>
    pairs.filter(([name]) => name !== "audience").map(([name, text]) => [name, { grant_type: GRANT, subject_token_type: OWN }[name] ?? text]),
  );
  const odd = fc.array(fc.tuple(fc.constantFrom(...Object.keys(schemaOf(api, schema).properties ?? {}), "__proto__", "x[]"), hostileText), { maxLength: 8 });
  return fc
    .oneof(
      real,
      own,
      good,
      odd,
      fc.tuple(real, odd).map((both) => both.flat()),
    )
    .map((pairs) => bytesOf(new URLSearchParams(pairs as string[][]).toString()));
}
const GRANT = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT = "urn:ietf:params:oauth:token-type:jwt";
const OWN = "urn:ietf:params:oauth:token-type:access_token";

/** A value as it is, a .env file, and bytes that are neither. */
const raw: fc.Arbitrary<Uint8Array> = fc.oneof(
  hostileText.map((text) => bytesOf(CANARY + text)),
  fc
    .array(fc.tuple(fc.constantFrom(...NAMES, "1X", "a b"), hostileText), { maxLength: 6 })
    .map((pairs) => bytesOf(pairs.map(([name, text]) => `${name}="${CANARY}${text}"\n`).join(""))),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => new Uint8Array([...bytesOf(CANARY), 0xff, ...bytes])),
  fc.constantFrom(0, 65_536, 65_537, 1_048_576, 1_048_577, 1_200_000).map((size) => bytesOf(CANARY.repeat(size / CANARY.length + 1).slice(0, size))),
);

const DEEP = [1000, 100_000, 500_000];

/** JSON that is odd by itself, or none at all. */
const hostileJson: fc.Arbitrary<string> = fc.oneof(
  hostileValue.map((value) => JSON.stringify(value)),
  fc.constantFrom(
    "",
    "null",
    "{",
    "}",
    '{"value":',
    "{'value':1}",
    "NaN",
    "\ufeff{}",
    '{"a":1}x',
    "[1,]",
    '"\\ud800"',
    `{"value":"${CANARY}`,
    `${CANARY}`,
    "1e999",
    "-",
    "\0",
  ),
  fc.constantFrom(...DEEP).map((depth) => "[".repeat(depth) + "]".repeat(depth)),
  fc.constantFrom(...DEEP.slice(0, 2)).map((depth) => `${'{"value":'.repeat(depth)}"${CANARY}"${"}".repeat(depth)}`),
  fc.constantFrom(100_000, 300_000).map((count) => `[${"1,".repeat(count)}1]`),
  fc.constant(`{${Array.from({ length: 20_000 }, (_, n) => `"k${n}":1`).join(",")}}`),
);

/** A valid body with one thing wrong. */
function nearlyJson(api: Api, known: Known, schema: Schema): fc.Arbitrary<string> {
  const named = Object.keys(schemaOf(api, schema).properties ?? {});
  const members = named.length > 0 ? named : ["x"];
  const valid = validFor(api, known, schema) as fc.Arbitrary<Record<string, unknown>>;
  const replaced = fc
    .tuple(valid, fc.constantFrom(...members), fc.oneof(hostileValue, boundary))
    .map(([body, name, value]) => JSON.stringify({ ...body, [name]: withoutValue(name, value) }));
  const inside = fc
    .tuple(valid, fc.constantFrom(...members), hostileText, hostileValue)
    .map(([body, name, key, value]) => JSON.stringify({ ...body, [name]: withoutValue(name, { [key]: value }) }));
  const dropped = fc.tuple(valid, fc.constantFrom(...members)).map(([body, name]) => JSON.stringify({ ...body, [name]: undefined }));
  const added = fc.tuple(valid, hostileText, hostileValue).map(([body, name, value]) => JSON.stringify({ ...body, [name]: value }));
  const inserted = fc.tuple(valid, fc.constantFrom("__proto__", "constructor", "prototype", ...members), hostileValue).map(([body, name, value]) => {
    return JSON.stringify(body)
      .replace("{", `{${JSON.stringify(name)}:${JSON.stringify(withoutValue(name, value))},`)
      .replace(",}", "}");
  });
  const cut = fc.tuple(valid, fc.nat(200)).map(([body, at]) => JSON.stringify(body).slice(0, at));
  return fc.oneof({ weight: 4, arbitrary: replaced }, inside, dropped, added, inserted, cut, hostileJson);
}

/** Texts, numbers and lists on both sides of the bounds there are. */
const boundary: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(0, 1, 64, 65, 128, 129, 256, 257, 512, 513, 600, 601, 1024, 1025, 65_536, 65_537).map((length) => "a".repeat(length)),
  fc.constantFrom(-1, 0, 1, 59, 60, 3650, 3651, 86_400, 86_401, 31_536_000, 31_536_001, 2 ** 31, 2 ** 53, 1.5),
  fc.constantFrom(0, 1, 5, 6, 16, 17, 64, 65, 100, 101).map((length) => Array.from({ length }, (_, n) => `N${n}`)),
  fc.constantFrom(32, 33, 500, 501).map((length) => Object.fromEntries(Array.from({ length }, (_, n) => [`N${n}`, CANARY]))),
);

/** A description or a label is there to be read: only a member that carries a value keeps the canary. */
function withoutValue(name: string, value: unknown): unknown {
  return VALUES.has(name) ? value : JSON.parse(JSON.stringify(value).replaceAll(CANARY, "x"));
}
