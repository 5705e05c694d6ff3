import { expect, it } from "vitest";
import { parse } from "yaml";
import { fillReferences, findReferences } from "../../../src/cli/fill-references.ts";

const VALUE = "x\u{1f600}y é\u007f\t\u2028";
const TEXT = '{"key": {"secret_key_ref": {"store": "A"}}}';

it.each([
  ["yaml", "\\U0001f600"],
  ["json", "\\ud83d\\ude00"],
] as const)("a character outside the basic plane is written as every parser of %s reads it", (format, written) => {
  const filled = fillReferences(TEXT, format, findReferences(TEXT, format), new Map([["A", VALUE]]));
  expect(filled).toBe(`{"key": "x${written}y \\u00e9\\u007f\\t\\u2028"}`);
  expect(format === "json" ? JSON.parse(filled) : parse(filled)).toEqual({ key: VALUE });
});
