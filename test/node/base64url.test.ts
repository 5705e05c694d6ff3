import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { fromBase64url, toBase64url } from "../../src/contract/base64url.ts";

const native = {
  to: Object.getOwnPropertyDescriptor(Uint8Array.prototype, "toBase64"),
  from: Object.getOwnPropertyDescriptor(Uint8Array, "fromBase64"),
};

/** A runtime that does not have the functions of ECMAScript 2026, as Node 20. */
function withoutNative(): void {
  Reflect.deleteProperty(Uint8Array.prototype, "toBase64");
  Reflect.deleteProperty(Uint8Array, "fromBase64");
}

afterEach(() => {
  if (native.to) Object.defineProperty(Uint8Array.prototype, "toBase64", native.to);
  if (native.from) Object.defineProperty(Uint8Array, "fromBase64", native.from);
});

describe("base64url on a runtime of before", () => {
  it("is what it is on one of today, both ways", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const text = toBase64url(bytes);
        withoutNative();
        expect("toBase64" in bytes).toBe(false);
        expect(toBase64url(bytes)).toBe(text);
        expect(fromBase64url(text)).toEqual(bytes);
        if (native.to && native.from) {
          Object.defineProperty(Uint8Array.prototype, "toBase64", native.to);
          Object.defineProperty(Uint8Array, "fromBase64", native.from);
        }
      }),
    );
  });

  it.each(["A", "AB", "AA=", "AA==", "A+", "A/", " AA", "AAF", "é"])("takes no other text for bytes: %j", (text) => {
    expect(() => fromBase64url(text)).toThrow(SyntaxError);
    withoutNative();
    expect(() => fromBase64url(text)).toThrow(SyntaxError);
  });
});
