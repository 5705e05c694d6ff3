import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createScrubber, prepareScrubber } from "../../src/scrub/create-scrubber.ts";
import { findValues } from "../../src/scrub/find-values.ts";
import { scrubStream } from "../../src/scrub/scrub-stream.ts";
import { scrubText } from "../../src/scrub/scrub-text.ts";
import { mayHold, tracesOf } from "../../src/scrub/traces-of.ts";
import { slowScrub } from "./support/slow-scrub.ts";

fc.configureGlobal({ seed: Number(process.env.TEST_SEED) });

function split(text: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).sort((a, b) => a - b), text.length];
  return at.slice(1).map((end, n) => text.subarray(at[n], end));
}

function scrub(values: readonly string[], chunks: readonly Uint8Array[]): Buffer {
  const scrubber = createScrubber(values);
  return Buffer.concat([...chunks.map((chunk) => scrubber.push(chunk)), scrubber.end()]);
}

const hexOf = (text: string) => Buffer.from(text).toString("hex");
const units = (text: string, write: (unit: string) => string) => Array.from({ length: text.length }, (_, at) => write(text[at] ?? "")).join("");
const escapeUnit = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
const inJson = (text: string) => JSON.stringify(text).slice(1, -1);
const percentAll = (text: string) => hexOf(text).replace(/../g, "%$&");

/** How programs write a text: one way each, of which those of one kind may be mixed within one text. */
const WRITERS: Record<string, (text: string) => string> = {
  "as it is": (text) => text,
  "JSON.stringify": inJson,
  "JSON in JSON": (text) => inJson(inJson(text)),
  "JSON in ASCII in JSON": (text) => inJson(inJson(text).replace(/[\u0080-\uffff]/g, escapeUnit)),
  "JSON of PHP": (text) =>
    inJson(text)
      .replaceAll("/", "\\/")
      .replace(/[\u0080-\uffff]/g, escapeUnit),
  "JSON of Go": (text) => inJson(text).replace(/[<>&]/g, escapeUnit),
  "JSON of .NET": (text) => text.replace(/[^\w -]/g, (character) => units(character, escapeUnit).replace(/(?<=u)..../g, (digits) => digits.toUpperCase())),
  "JSON all escaped": (text) => units(text, escapeUnit),
  encodeURIComponent,
  encodeURI,
  "a form": (text) => new URLSearchParams({ "": text }).toString().slice(1),
  "percent-encoding of all bytes": (text) => percentAll(text).toUpperCase(),
  "percent-encoding in small letters": (text) => encodeURIComponent(text).replace(/%../g, (byte) => byte.toLowerCase()),
  hex: hexOf,
  "hex in capital letters": (text) => hexOf(text).toUpperCase(),
  base64: (text) => Buffer.from(text).toString("base64"),
  base64url: (text) => Buffer.from(text).toString("base64url"),
  "base64 in JSON of PHP": (text) => Buffer.from(text).toString("base64").replaceAll("/", "\\/"),
  "base64 in JSON of .NET": (text) => Buffer.from(text).toString("base64").replaceAll("+", "\\u002B"),
  "base64 in a URL": (text) => encodeURIComponent(Buffer.from(text).toString("base64")),
  "base64 in lines": (text) =>
    Buffer.from(text)
      .toString("base64")
      .replace(/.{16}(?=.)/g, "$&\r\n"),
  "base64 in lines in JSON": (text) =>
    inJson(
      Buffer.from(text)
        .toString("base64")
        .replace(/.{16}(?=.)/g, "$&\n"),
    ),
};
/** What is shown of a text as a writer has written it: line ends that break base64 and padding are no part of it. */
function shownOf(name: string, written: string): string {
  const stars = (text: string) => "*".repeat(Buffer.byteLength(text));
  if (!name.startsWith("base64")) return stars(written);
  const [, text = "", padding = ""] = /^(.*?)((?:=|%3D)*)$/s.exec(written) ?? [];
  return text.replace(/[^\r\n]+/g, stars) + padding;
}

// Characters that encodings treat differently, and few of them, so that values begin alike, repeat themselves and overlap.
const hard = fc.string({ unit: fc.constantFrom(..."aZ09+/=-_ %&?<>\"\\'\nuéà🔑"), minLength: 12, maxLength: 40 }).filter((text) => text === text.trim());
const alike = fc.string({ unit: fc.constantFrom("x", "y", "\\", "%", "+", " ", "2"), minLength: 1, maxLength: 9 });
const cuts = fc.array(fc.nat(400), { maxLength: 12 });
/** What may stand right before base64, so that its first characters read as an escape of something. */
const BEFORE = ["%", "%2", "%%", "\\", "\\\\", "\\u", "\\u0", "\\u00", "\\u002", "\\ud83d", "\\t", "\\u00e9", "%25", "%\\"];
/** How line ends are written within base64, and how many each is. */
const LINE_ENDS = [
  ["\n", 1],
  ["\r\n", 2],
  ["\\n", 1],
  ["\\r\\n", 2],
  ["\\u000a", 1],
  ["%0D%0A", 2],
] as const;
const before = fc.constantFrom("", "", ...BEFORE.filter((text) => text !== "\\ud83d"), "\n\n\n\n");
const beside = fc.string({ unit: fc.constantFrom(...'xyaZ09+/=-_ %"\\u25cé\n'), maxLength: 7 });

describe("what is scrubbed", () => {
  it.each(Object.entries(WRITERS))("has no byte of a value as %s writes it, and everything else", (name, write) => {
    fc.assert(
      fc.property(hard, cuts, (value, cuts) => {
        const written = write(value);
        expect(scrub([value], split(Buffer.from(`{#${written}#}`), cuts)).toString()).toBe(`{#${shownOf(name, written)}#}`);
      }),
      { numRuns: 25 },
    );
  });

  it.each(Object.entries(WRITERS))("is found where it begins, as %s writes it", (name, write) => {
    fc.assert(
      fc.property(hard, cuts, (value, cuts) => {
        const finder = findValues([value])();
        const found = split(Buffer.from(`{#${write(value)}#}`), cuts).flatMap((chunk) => finder.push(chunk));
        expect(found).toContain(2);
        // Only one that has its own beginning in it again begins elsewhere, too.
        if (name === "as it is" && value.indexOf(value[0] ?? "", 1) === -1) expect(new Set(found)).toEqual(new Set([2]));
      }),
      { numRuns: 10 },
    );
    expect(findValues(["another value"])().push(Buffer.from(write("value and no other")))).toEqual([]);
  });

  const written = fc.tuple(fc.nat(3), fc.constantFrom(...Object.values(WRITERS)), fc.nat(60), beside, beside);

  it("is exactly what a slow search of every reading finds, whatever stands around it and however it is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(hard, alike), { minLength: 1, maxLength: 4 }),
        fc.array(fc.tuple(beside, before, written), { maxLength: 5 }),
        cuts,
        (values, parts, cuts) => {
          const text = parts.map(([noise, beforeIt, [which, write, cut, before, after]]) => {
            const whole = write(before + (values[which % values.length] ?? "") + after);
            return noise + beforeIt + (cut > 30 ? whole : whole.slice(0, cut));
          });
          const bytes = Buffer.from(text.join(""));
          // At the end of a line too little of base64 does not wait.
          const within = cuts.map((cut) => cut % (bytes.length + 1)).filter((cut) => bytes[cut - 1] !== 10 && bytes[cut - 1] !== 13);
          expect(scrub(values, split(bytes, within)).toString("latin1")).toBe(slowScrub(values, bytes).toString("latin1"));
        },
      ),
      { numRuns: 250 },
    );
  });

  it("shows nothing twice where a percent sign comes out of another escape", () => {
    expect(scrub(["%xxxx", "x"], [Buffer.from("0\\u002"), Buffer.from("5")]).toString()).toBe("0\\u0025");
  });

  it("shows nothing twice where base64 goes on after a line whose end did not wait", () => {
    const shown = ["x: ABCDEFGH\n", "QUJ\n", "D", "REV", "GR0g="];
    const scrubber = createScrubber(["ABCDEFGH"]);
    const given = [...shown.map((chunk) => scrubber.push(Buffer.from(chunk))), scrubber.end()].map((part) => Buffer.from(part).toString());
    expect(given).toEqual(["x: ********\n", "QUJ\n", "", "", "********=", ""]);
  });

  it("is at its place, or a star is, wherever lines end and chunks are cut", () => {
    const line = fc.constantFrom("\n", "a\r\n", "Z09\n\n");
    fc.assert(
      fc.property(hard, fc.nat(9), fc.nat(9), fc.array(line, { maxLength: 3 }), cuts, (value, first, second, noise, cuts) => {
        const written = Buffer.from(value).toString("base64");
        const bytes = Buffer.from(
          `${value}${noise.join("")}${written.slice(0, first)}\n${written.slice(first, first + second)}\r\n${written.slice(first + second)}#`,
        );
        const shown = scrub([value], split(bytes, cuts));
        const whole = slowScrub([value], bytes);
        const unmasked = Buffer.from(shown.map((byte, at) => (byte === bytes[at] ? (whole[at] ?? byte) : byte)));
        expect(unmasked.toString("latin1")).toBe(whole.toString("latin1"));
      }),
      { numRuns: 50 },
    );
  });

  it.each(BEFORE)("is found in base64 right after %j, whatever that begins with", (before) => {
    for (const beginning of ["41", "0a", "0D", "2b", "2Fn", "5f", "bn", "nr", "r2", "u00", "u002b", "+n"]) {
      const written = beginning.padEnd(24, "AQIDBAUGBwgJCgsMDQ4P");
      const scrubber = createScrubber([Buffer.from(written, "base64")]);
      const given = [...`${before}${written}#`].map((byte) => scrubber.push(Buffer.from(byte)));
      expect(Buffer.concat([...given, scrubber.end()]).toString()).toBe(`${before}${"*".repeat(written.length)}#`);
    }
  });

  it.each(LINE_ENDS)("is found in base64 that up to four line ends break up (%j), and no more", (lineEnd, count) => {
    const [first, rest] = ["c2stbGl2ZS0", "wMTIzNDU2Nzg5"];
    const most = lineEnd.repeat(4 / count);
    const kept = /[\r\n]/.test(lineEnd) ? most : "*".repeat(most.length);
    expect(scrub(["sk-live-0123456789"], [Buffer.from(first + most + rest)]).toString()).toBe("*".repeat(11) + kept + "*".repeat(13));
    expect(scrub(["sk-live-0123456789"], [Buffer.from(`${first}${most}\n${rest}`)]).toString()).toBe(`${first}${most}\n${rest}`);
  });

  it("is found among twelve values that begin alike", () => {
    const values = Array.from({ length: 12 }, (_, n) => `sk-live-${"a".repeat(n)}`);
    const text = Buffer.from(values.map((value) => `${value}! ${hexOf(value)}! ${inJson(value)}`).join("\n"));
    expect(scrub(values, [text]).equals(slowScrub(values, text))).toBe(true);
  });

  it("is found in bytes that are no text", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 12, maxLength: 30 }),
        fc.uint8Array({ maxLength: 20 }),
        fc.uint8Array({ maxLength: 20 }),
        cuts,
        (value, before, after, cuts) => {
          const all = Buffer.concat([before, value, after]);
          const scrubber = createScrubber([value]);
          const shown = Buffer.concat([...split(all, cuts).map((chunk) => scrubber.push(chunk)), scrubber.end()]);
          expect([shown.length, shown.includes(value)]).toEqual([all.length, false]);
          const encoded = all.toString("base64");
          const other = createScrubber([value]);
          const first = Math.floor((before.length * 4) / 3);
          const last = Math.ceil(((before.length + value.length) * 4) / 3);
          const from = [...split(Buffer.from(encoded), cuts).map((chunk) => other.push(chunk)), other.end()];
          expect(Buffer.concat(from).toString()).toBe(encoded.slice(0, first) + "*".repeat(last - first) + encoded.slice(last));
        },
      ),
      { numRuns: 100 },
    );
  });
});

/** Whether `text` is how a form of `value` begins: each of its parts is written in one of the ways that `waysOf` gives. */
function begins(text: string, parts: readonly string[], waysOf: (part: string) => readonly string[]): boolean {
  if (text === "") return true;
  const [part, ...rest] = parts;
  return part !== undefined && waysOf(part).some((way) => way.startsWith(text) || (text.startsWith(way) && begins(text.slice(way.length), rest, waysOf)));
}

/** Whether `held` is how a form of `value` begins: as it is, in JSON, percent-encoded, in hexadecimal digits, in base64. */
function isBeginning(held: string, value: string): boolean {
  const inCapitals = (text: string, digits: RegExp) => text.replace(digits, (found) => found.toUpperCase());
  const json = (text: string) => inCapitals(text, /(?<=\\u)[\da-f]{1,4}/g);
  const jsonWays = (part: string) => [part, inJson(part), json(units(part, escapeUnit)), ...(part === "/" ? ["\\/"] : [])];
  const percent = (text: string) => inCapitals(text, /(?<=%)[\da-f]{1,2}/g);
  const percentWays = (byte: string) => [
    byte,
    percent(`%${Buffer.from(byte, "latin1").toString("hex")}`),
    ...(/[ +]/.test(byte) ? ["+", " ", "%2B", "%20"] : []),
  ];
  // Without line ends, and what has begun of an escape: of a line end, or of one of + / - _.
  const bare = held
    .replace(/%[0257]?$|\\(?:u0{0,2}|u00[025])?$|\\[rn]|[\r\n]|%0[AaDd]|\\u000[AaDd]/g, "")
    .replace(/%2[Bb]|\\u002[Bb]|%2[Dd]|\\u002[Dd]|-/g, "+")
    .replace(/%2[Ff]|\\u002[Ff]|%5[Ff]|\\u005[Ff]|_|\\\//g, "/");
  const alignments = Array.from({ length: 256 }, (_, byte) => [[byte], [byte, byte]]).flat();
  const tooManyLines = /(?:[\r\n]|\\[rn]|(?:%|\\u00)0[AaDd]){5}/.test(held);
  const base64 =
    !tooManyLines &&
    [[], ...alignments].some((before) =>
      Buffer.concat([Buffer.from(before), Buffer.from(value), Buffer.from("\0")])
        .toString("base64")
        .slice(before.length)
        .startsWith(bare),
    );
  return (
    value.startsWith(held) ||
    begins(json(held), [...value], jsonWays) ||
    begins(percent(Buffer.from(held).toString("latin1")), [...Buffer.from(value).toString("latin1")], percentWays) ||
    hexOf(value).startsWith(held.toLowerCase()) ||
    base64
  );
}

describe("what is held back", () => {
  it.each(Object.entries(WRITERS))("is all of a value's beginning as %s writes it, and given as it was when it goes on otherwise", (name, write) => {
    fc.assert(
      fc.property(hard, fc.nat(), (value, at) => {
        const whole = Buffer.from(write(value)).toString("latin1");
        const written = name.startsWith("base64") ? whole.replace(/(?:=|%3D|\\n|[\r\n])+$/, "") : whole;
        const begun = Buffer.from(written.slice(0, at % written.length), "latin1");
        // A beginning of one form may be all of another one.
        const goneOn = Buffer.concat([begun, Buffer.from("\u0001")]);
        fc.pre(slowScrub([value], goneOn).equals(goneOn));
        const scrubber = createScrubber([value]);
        expect(Buffer.from(scrubber.push(Buffer.concat([Buffer.from("#"), begun]))).toString("latin1").length).toBe(1);
        expect(Buffer.from(scrubber.push(Buffer.from("\u0001"))).toString("latin1")).toBe(`${begun.toString("latin1")}\u0001`);
      }),
      { numRuns: 25 },
    );
  });

  it("is nothing but a true beginning of a form", () => {
    const noise = fc.string({ unit: fc.constantFrom(..."aZ09+/=-_ %\"\\'u0256789bcdefnr\né"), maxLength: 30 });
    fc.assert(
      fc.property(hard, noise, fc.constantFrom(...Object.values(WRITERS)), fc.nat(30), (value, noise, write, cut) => {
        const text = noise + write(value).slice(0, cut);
        const given = createScrubber([value]).push(Buffer.from(text));
        const held = Buffer.from(text).subarray(given.length).toString();
        // What is JSON in JSON has too many ways to be written to try them.
        if (/\\\\|\\u005c/i.test(held)) return;
        expect([held, isBeginning(held, value)]).toEqual([held, true]);
      }),
      { numRuns: 250 },
    );
  });

  it.each(LINE_ENDS)("is given once more than four line ends follow (%j), however many come", (lineEnd, count) => {
    const scrubber = createScrubber(["sk-live-0123456789"]);
    const shownAfter = (text: string) => Buffer.from(scrubber.push(Buffer.from(text))).toString();
    const most = lineEnd.repeat(4 / count);
    expect(["c2stbGl2ZS0", most].map(shownAfter)).toEqual(["", ""]);
    expect(shownAfter("\n")).toBe(`c2stbGl2ZS0${most}\n`);
    expect(Array.from({ length: 1000 }, () => shownAfter("\n")).join("")).toBe("\n".repeat(1000));
  });

  it("is nothing of a prompt, and nothing after a whole value", () => {
    expect(Buffer.from(createScrubber(["secret-of-mine"]).push(Buffer.from("Continue? [y/n] "))).toString()).toBe("Continue? [y/n] ");
    expect(Buffer.from(createScrubber(["secret-of-mine"]).push(Buffer.from("data: secret-of-mine"))).toString()).toBe("data: **************");
  });
});

describe("a text and a stream", () => {
  const value = "sk-live-0123456789";

  it("are scrubbed whole, one after the other", async () => {
    const scrubbing = prepareScrubber([value]);
    expect(scrubText(`Bearer ${value}é`, scrubbing)).toBe(`Bearer ${"*".repeat(18)}é`);
    expect(scrubText(`${value.slice(0, 10)}é`, scrubbing)).toBe("sk-live-01é");
    expect(scrubText(value.slice(10), scrubbing)).toBe(value.slice(10));
    expect(scrubText("é", [])).toBe("é");
    expect(scrubText("\ufeffé", scrubbing)).toBe("\ufeffé");
    const chunks = ["data: sk-live", "-0123", "456789\n", "\ndata: sk-li"].map((text) => new TextEncoder().encode(text));
    const shown: string[] = [];
    for await (const chunk of ReadableStream.from(chunks).pipeThrough(scrubStream(scrubbing))) shown.push(new TextDecoder().decode(chunk));
    expect(shown).toEqual(["data: ", `${"*".repeat(18)}\n`, "\ndata: ", "sk-li"]);
  });
});

describe("traces of values", () => {
  const value = fc.string({ minLength: 12, maxLength: 40, unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)) });
  const around = fc.string({
    maxLength: 30,
    unit: fc.oneof(fc.constantFrom(..."aZ09+/-_=\n\r \\%"), fc.string({ minLength: 1, maxLength: 1, unit: "grapheme" })),
  });

  it("are in every text in which anything is scrubbed", () => {
    fc.assert(
      fc.property(value, around, around, fc.constantFrom(...Object.values(WRITERS)), fc.nat(3), (value, before, after, write, pad) => {
        const text = `${before}${write(`${"p".repeat(pad)}${value}`)}${after}`;
        if (scrubText(text, [value]) !== text) expect(mayHold(tracesOf([value]), text)).toBe(true);
      }),
      { numRuns: 3_000 },
    );
  });

  it("are in none of most others", () => {
    const traces = tracesOf(["sk-0123456789abcdef0123456789abcdef", "Basic dXNlcjpzay0wMTIzNDU2Nzg5"]);
    for (const text of ["", "sk-0123456789", '{"id": "chatcmpl-1", "key": "sk-...", "n": 0.123456789}\n', "c2stMDEyMzQ1Njc4OQ==", "736b2d30313233"])
      expect(mayHold(traces, text)).toBe(false);
  });

  it("are told of no value that is not printable in ASCII", () => {
    expect(mayHold(tracesOf(["a value with ü in it"]), "x")).toBe(true);
    expect(mayHold(tracesOf(["two lines\nof a value"]), "x")).toBe(true);
  });
});
