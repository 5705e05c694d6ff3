import { describe, expect, it } from "vitest";
import { associatedData } from "../../src/worker/envelope/binding.ts";
import { OpenError, open } from "../../src/worker/envelope/open.ts";
import vectors from "../vectors/envelope-v1.json" with { type: "json" };
import { keyring } from "./keyrings.ts";

// These were sealed once and never change: what is stored today must open for as long as v1 is read.
describe.each(vectors)("the frozen $binding.name of $binding.scope", ({ binding, value, sealed }) => {
  it("opens to its value", async () => {
    expect((await open(keyring, binding, sealed)).toBase64()).toBe(value);
  });

  it("opens nowhere else", async () => {
    await expect(open(keyring, { ...binding, version: binding.version + 1 }, sealed)).rejects.toThrow(OpenError);
  });
});

it("binds to the JSON array of the format's name, org, scope, name and version in UTF-8", () => {
  const bytes = associatedData({ org: "acme", scope: "repo:a/b", name: 'é"', version: 7 });
  expect(new TextDecoder().decode(bytes)).toBe('["keyhole/v1","acme","repo:a/b","é\\"",7]');
});
