import fc from "fast-check";

/**
 * Stands in every place where a request carries a value, and must come back from nothing but a resolve. A URL
 * escapes two of its characters and JSON none, and its base64 and base64url differ.
 */
export const CANARY = "kh>canary?5f1d9c";
/** The canary as a value that is written in base64. */
export const CANARY_BASE64 = btoa(CANARY);

const TEXTS = [
  "",
  " ",
  "\0",
  "a\0b",
  "\ud800",
  "\udfff\ud800",
  "a\udc00",
  "\ufeff",
  "\u202e",
  "\u2028",
  "e\u0301",
  "\u{1f511}".repeat(40),
  "İı",
  "ﬀ",
  "\r\nSet-Cookie: a=b",
  "__proto__",
  "constructor",
  "toString",
  "null",
  "undefined",
  "NaN",
  "-1",
  "0x10",
  "1e3",
  "9007199254740993",
  "'; DROP TABLE secrets; --",
  "%' OR 1=1 --",
  "*",
  "global*",
  "repo:..",
  "repo:a/../b",
  "team:",
  "builtin",
  "${claim}",
  "../../etc/passwd",
  "<script>alert(1)</script>",
  "{{7*7}}",
  "2026-02-30T00:00:00Z",
  "+275760-09-13T00:00:00.000Z",
  "0000-01-01T00:00:00+23:59",
  "a".repeat(129),
  "a".repeat(1025),
  "é".repeat(40_000),
];

/** Texts that programs stumble over. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...TEXTS) },
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 }).map((units) => String.fromCharCode(...units)),
);

/** Anything that JSON can write, wherever something else belongs. */
export const hostileValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: hostileText },
  fc.constantFrom<unknown>(null, true, false, 0, -1, 1.5, -0, 1e308, 2 ** 53, -(2 ** 63), [], {}, [[]], [null], { value: CANARY }, [CANARY]),
  fc.jsonValue({ maxDepth: 3 }),
);

/** What may stand in a header: no control characters, and nothing beyond a byte. */
export const hostileHeader: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "",
    "*",
    '"',
    '""',
    '"a',
    "W/",
    'W/""',
    "*, *",
    '*,"a"',
    '"a",',
    ',"a"',
    '"a" "b"',
    '"é"',
    "a\tb",
    "null",
    '"sec_x.1", W/"sec_x.2"',
    "\u00ff",
  ),
  fc.array(fc.integer({ min: 0x20, max: 0xff }), { maxLength: 60 }).map((bytes) => String.fromCharCode(...bytes.filter((byte) => byte !== 0x7f))),
  fc.constantFrom('"a",'.repeat(2000), `"${"a".repeat(8000)}"`, ",".repeat(4000), " ".repeat(4000)),
);

/** Segments of a path as they go over the wire. */
export const hostileSegment: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "..",
    ".",
    "%2e%2e",
    "%2E",
    ".%2e",
    "%2f",
    "a%2Fb",
    "%5c",
    "\\",
    "%",
    "%z",
    "%zz",
    "%c0%af",
    "%ff",
    "%00",
    "%ed%a0%80",
    "%0d%0a",
    "%25",
    "%252e",
  ),
  fc.constantFrom(
    ";",
    "global;a=b",
    "a?b",
    "a#b",
    "",
    "/",
    "//",
    "*",
    "{id}",
    ":id",
    "é",
    "\u{1f511}",
    "%F0%9F%94%91",
    "a".repeat(5000),
    "%41".repeat(2000),
    "a b",
    "+",
  ),
  hostileText.map((text) => encodeURIComponent(text.toWellFormed())),
);
