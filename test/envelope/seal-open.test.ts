import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64url, toBase64url } from "../../src/contract/base64url.ts";
import type { Binding } from "../../src/worker/envelope/binding.ts";
import { KeyMissingError, OpenError, open } from "../../src/worker/envelope/open.ts";
import { type Envelope, seal } from "../../src/worker/envelope/seal.ts";
import { keyring, otherKeyring } from "./keyrings.ts";

const binding: Binding = { org: "acme", scope: "namespace:prod", name: "OPENAI_API_KEY", version: 3, id: "sec_1", encoding: "utf8" };
const value = new TextEncoder().encode("sk-a-value-of-some-length");
const refuses = (sealed: Envelope, where = binding) => expect(open(keyring, where, sealed)).rejects.toThrow(OpenError);

describe("seal and open", () => {
  it("give back every value under its binding", async () => {
    const bytes = fc.uint8Array({ maxLength: 300 });
    const place = fc.record({
      org: fc.string(),
      scope: fc.string(),
      name: fc.string(),
      version: fc.nat(),
      id: fc.string(),
      encoding: fc.constantFrom("utf8", "base64"),
    });
    await fc.assert(
      fc.asyncProperty(bytes, place, async (bytes, place) => {
        expect(await open(keyring, place, await seal(keyring, place, bytes))).toEqual(bytes);
      }),
    );
  });

  it("use a new data key and a new IV each time", async () => {
    const sealed = await Promise.all(Array.from({ length: 50 }, () => seal(keyring, binding, value)));
    expect(new Set(sealed.map(({ wrappedKey }) => wrappedKey)).size).toBe(50);
    expect(new Set(sealed.map(({ ciphertext }) => ciphertext.split(":")[1])).size).toBe(50);
  });

  it("write v2:<iv>:<tag>:<ciphertext> and a wrapped key of 40 bytes", async () => {
    const { ciphertext, wrappedKey, keyId } = await seal(keyring, binding, value);
    const [version, ...parts] = ciphertext.split(":");
    expect([version, ...parts.map((part) => fromBase64url(part).length)]).toEqual(["v2", 12, 16, value.length]);
    expect([fromBase64url(wrappedKey).length, keyId]).toEqual([40, "k1"]);
  });

  it("never show the value in what they make", async () => {
    const { ciphertext } = await seal(keyring, binding, new Uint8Array(64));
    expect(fromBase64url(ciphertext.split(":")[3] ?? "").some((byte) => byte !== 0)).toBe(true);
  });
});

describe("open refuses", () => {
  it("anything with one bit flipped, wherever it is", async () => {
    const sealed = await seal(keyring, binding, value);
    const [version = "", ...parts] = sealed.ciphertext.split(":");
    for (const [at, part] of parts.entries()) {
      for (const flipped of flips(part)) await refuses({ ...sealed, ciphertext: [version, ...parts.with(at, flipped)].join(":") });
    }
    for (const wrappedKey of flips(sealed.wrappedKey)) await refuses({ ...sealed, wrappedKey });
  });

  it.each<Partial<Binding>>([
    { org: "acme2" },
    { scope: "namespace:dev" },
    { scope: "global" },
    { name: "OPENAI_API_KEY2" },
    { name: "openai_api_key" },
    { version: 4 },
    { id: "sec_2" },
    { encoding: "base64" },
  ])("what was sealed for another place: %j", async (elsewhere) => {
    const sealed = await seal(keyring, binding, value);
    await refuses(sealed, { ...binding, ...elsewhere });
    await expect(open(keyring, binding, sealed)).resolves.toEqual(value);
  });

  it("a binding whose parts are joined in another way", async () => {
    const sealed = await seal(keyring, { org: 'a","b', scope: "c", name: "d", version: 1, id: "e", encoding: "utf8" }, value);
    await refuses(sealed, { org: "a", scope: 'b","c', name: "d", version: 1, id: "e", encoding: "utf8" });
  });

  it("the ciphertext of one sealing with the wrapped key of another", async () => {
    const [one, two] = await Promise.all([seal(keyring, binding, value), seal(keyring, binding, value)]);
    await refuses({ ...one, wrappedKey: two.wrappedKey });
    await refuses({ ...one, ciphertext: two.ciphertext });
  });

  it("another key under the same id", async () => {
    const sealed = await seal(await otherKeyring(), binding, value);
    await refuses(sealed);
  });

  it("a key id that the keyring does not hold, and says which it is", async () => {
    const sealed = { ...(await seal(keyring, binding, value)), keyId: "k0" };
    const error = await open(keyring, binding, sealed).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(KeyMissingError);
    expect(error).toMatchObject({ keyId: "k0" });
  });

  it("every text that is not of the one form", async () => {
    const sealed = await seal(keyring, binding, value);
    const [, iv = "", tag = "", text = ""] = sealed.ciphertext.split(":");
    const forms = [
      "",
      "v2",
      "v2:::",
      `v1:${iv}:${tag}:${text}`,
      `v3:${iv}:${tag}:${text}`,
      `v2:${iv}:${tag}`,
      `v2:${iv}:${tag}:${text}:`,
      ` ${sealed.ciphertext}`,
      `${sealed.ciphertext}\n`,
    ];
    const others = [
      `v2:${iv}:${tag}:${text}=`,
      `v2:${tag}:${iv}:${text}`,
      `v2:${iv}:${tag.slice(2)}:${text}`,
      `v2:${iv}AA:${tag}:${text}`,
      `v2:${iv}:${tag}:${text}A`,
    ];
    for (const ciphertext of [...forms, ...others]) await refuses({ ...sealed, ciphertext });
    for (const wrappedKey of ["", "AAAA", sealed.wrappedKey.slice(4), `${sealed.wrappedKey}AAAA`, `${sealed.wrappedKey}=`])
      await refuses({ ...sealed, wrappedKey });
  });

  it("base64url that is not canonical, though it stands for the same bytes", async () => {
    const sealed = await seal(keyring, binding, new Uint8Array([1]));
    const [head, last] = [sealed.ciphertext.slice(0, -1), sealed.ciphertext.slice(-1)];
    await refuses({ ...sealed, ciphertext: head + next(last) });
    const [version, iv, tag = "", text] = sealed.ciphertext.split(":");
    await refuses({ ...sealed, ciphertext: [version, iv, tag.slice(0, -1) + next(tag.slice(-1)), text].join(":") });
    await refuses({ ...sealed, wrappedKey: sealed.wrappedKey.slice(0, -1) + next(sealed.wrappedKey.slice(-1)) });
  });

  it("always with the same words", async () => {
    const sealed = await seal(keyring, binding, value);
    const ways = [
      { ...sealed, ciphertext: "x" },
      { ...sealed, wrappedKey: "AAAA" },
      { ...sealed, ciphertext: sealed.ciphertext.replace("v2:", "v2:A") },
    ];
    const errors = await Promise.all(ways.map((way) => open(keyring, binding, way).catch((error: Error) => [error.name, error.message, error.cause])));
    expect(new Set(errors.map((error) => JSON.stringify(error))).size).toBe(1);
  });
});

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** The character whose lowest bit is the other one. */
function next(character: string): string {
  return ALPHABET[ALPHABET.indexOf(character) ^ 1] ?? "";
}

/** The base64url of the same bytes, with each bit in turn flipped. */
function flips(text: string): string[] {
  const bytes = fromBase64url(text);
  return Array.from({ length: bytes.length * 8 }, (_, bit) => toBase64url(bytes.map((byte, n) => (n === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))));
}
