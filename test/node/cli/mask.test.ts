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
      { numRuns: 3000 },
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

  it("holds nothing back that cannot be the beginning of a value", () => {
    expect(createMasker(["secret"]).push(Buffer.from("Continue? [y/n] ")).toString()).toBe("Continue? [y/n] ");
  });
});
