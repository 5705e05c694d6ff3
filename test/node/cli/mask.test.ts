import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createMasker } from "../../../src/cli/mask-stream.ts";

fc.configureGlobal({ seed: Number(process.env.TEST_SEED) });

/** What is shown of `chunks`. */
function masked(values: readonly string[], chunks: readonly Uint8Array[]): string {
  const masker = createMasker(values);
  return Buffer.concat([...chunks.map((chunk) => masker.push(chunk)), masker.end()]).toString("utf8");
}

function split(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text);
  const at = [0, ...[...cuts].map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, n) => bytes.subarray(at[n], end));
}

/** What is shown, found the slow way: every byte that any occurrence covers is gone, with one mark for each run of overlapping ones. */
function expected(values: readonly string[], text: string): string {
  const ranges = values
    .flatMap((value) => [...text].map((_, start) => ({ start, end: start + value.length })).filter(({ start }) => text.startsWith(value, start)))
    .sort((a, b) => a.start - b.start);
  let shown = "";
  let end = 0;
  for (const range of ranges) {
    if (range.start >= end) shown += `${text.slice(end, range.start)}[masked]`;
    end = Math.max(end, range.end);
  }
  return shown + text.slice(end);
}

// Few letters, so that values begin alike, overlap, repeat themselves and touch.
const value = fc.string({ unit: fc.constantFrom("x", "y", "z"), minLength: 1, maxLength: 6 });
const text = fc.string({ unit: fc.constantFrom("x", "y", "z", "\n"), maxLength: 60 });
const cuts = fc.array(fc.nat(200), { maxLength: 20 });

describe("masked output", () => {
  it("shows no byte of any value, and everything else, however it is cut into chunks", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 4 }), text, cuts, (values, text, cuts) => {
        expect(masked(values, split(text, cuts))).toBe(expected(values, text));
      }),
      { numRuns: 300 },
    );
  });

  it("hides a value that comes byte by byte, also where it begins twice", () => {
    const bytes = [...Buffer.from("a sk-sk-1é b")].map((byte) => Buffer.from([byte]));
    expect(masked(["sk-1é"], bytes)).toBe("a sk-[masked] b");
  });

  it("hides the lines of a value of several lines, and a value as JSON writes it", () => {
    const key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n}\n";
    expect(masked([key], [Buffer.from("log: MIIEvQIBADANBg }")])).toBe("log: [masked] }");
    expect(masked(['a"b'], [Buffer.from(JSON.stringify({ v: 'a"b' }))])).toBe('{"v":"[masked]"}');
  });

  it("hides a value that is printed without its line end, however short it is", () => {
    expect(masked(["hunter2\n", "\n"], [Buffer.from("password=hunter2;\n")])).toBe("password=[masked];[masked]");
  });

  it("hides a value as JSON in ASCII writes it", () => {
    expect(masked(["pässwörd 🔑\n"], [Buffer.from(String.raw`{"v":"p\u00e4ssw\u00f6rd \ud83d\udd11"}`)])).toBe('{"v":"[masked]"}');
  });

  const secret = fc.string({ unit: fc.constantFrom(..."aZ09+/=-_ %&?<>\"\\'é🔑"), minLength: 12, maxLength: 70 }).filter((text) => text === text.trim());
  const beside = fc.uint8Array({ maxLength: 9 });

  it("hides a value in base64, whatever stands around it before it is encoded and however its text is cut", () => {
    fc.assert(
      fc.property(secret, beside, beside, fc.constantFrom("base64", "base64url"), cuts, (value, before, after, encoding, cuts) => {
        const encoded = Buffer.concat([before, Buffer.from(value), after]).toString(encoding);
        const shown = masked([value], split(`<${encoded}>`, cuts));
        // The characters at the borders have bits of what is around.
        const [left = "", right = "", ...more] = shown.split("[masked]");
        expect([more, left.length <= 1 + Math.ceil((before.length * 4) / 3), right.length <= 2 + Math.ceil((after.length * 4) / 3) + 2]).toEqual([
          [],
          true,
          true,
        ]);
      }),
      { numRuns: 300 },
    );
  });

  const encoders: Record<string, (text: string) => string> = {
    "JSON.stringify": (text) => JSON.stringify(text).slice(1, -1),
    "JSON in JSON": (text) => JSON.stringify(JSON.stringify(text)).slice(3, -3),
    "JSON of Go": (text) =>
      JSON.stringify(text)
        .slice(1, -1)
        .replace(/[<>&]/g, (c) => `\\u00${c.charCodeAt(0).toString(16)}`),
    encodeURIComponent,
    encodeURI,
    "a form": (text) => new URLSearchParams({ "": text }).toString().slice(1),
    "Python's quote": (text) =>
      encodeURIComponent(text)
        .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
        .replaceAll("%2F", "/"),
    "percent-encoding in small letters": (text) => encodeURIComponent(text).replace(/%../g, (byte) => byte.toLowerCase()),
  };
  it.each(Object.entries(encoders))("hides a value as %s writes it", (_, encode) => {
    fc.assert(
      fc.property(secret, cuts, (value, cuts) => {
        expect(masked([value], split(`a=${encode(value)};`, cuts))).toBe("a=[masked];");
      }),
      { numRuns: 100 },
    );
  });

  it("hides every line of base64 that is broken into lines", () => {
    const value = "0123456789abcdef".repeat(30);
    for (const length of [64, 76]) {
      const lines =
        Buffer.from(value)
          .toString("base64")
          .match(new RegExp(`.{1,${length}}`, "g")) ?? [];
      expect(masked([value], [Buffer.from(lines.join("\n"))])).toBe(lines.map(() => "[masked]").join("\n"));
    }
  });

  it("shows what only a part of a short value's base64 could be", () => {
    expect(masked(["abc"], [Buffer.from("YWJj abc YWJj")])).toBe("YWJj [masked] YWJj");
  });

  it("holds nothing back that cannot be the beginning of a value", () => {
    expect(Buffer.from(createMasker(["sk-1234"]).push(Buffer.from("listening at 9\n"))).toString()).toBe("listening at 9\n");
    expect(Buffer.from(createMasker(["secret"]).push(Buffer.from("Continue? [y/n] "))).toString()).toBe("Continue? [y/n] ");
  });
});
