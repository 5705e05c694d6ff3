import { describe, expect, it } from "vitest";
import { at, call, put } from "../support/call.ts";
import { resolvedValue } from "../support/resolved-value.ts";

const MAX = 65_536;
const MIB = 1_048_576;
const setRaw = (name: string, body: BodyInit, contentType: string) => call(`PUT ${at("global", name)}`, { body, headers: { "Content-Type": contentType } });

/** A body that comes in pieces, without a Content-Length. */
function chunked(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      const size = Math.min(left, 65_536);
      if (size === 0) return controller.close();
      left -= size;
      controller.enqueue(new Uint8Array(size).fill(97));
    },
  });
}

describe("a value", () => {
  it("may have 65,536 bytes, in every form", async () => {
    const text = `${"é".repeat(MAX / 2 - 1)}ab`;
    expect((await put("global", "LARGE_JSON", text)).status).toBe(201);
    expect(await resolvedValue("LARGE_JSON")).toBe(text);
    expect((await setRaw("LARGE_TEXT", text, "text/plain")).status).toBe(201);
    expect((await setRaw("LARGE_BYTES", new Uint8Array(MAX), "application/octet-stream")).status).toBe(201);
    const base64 = new Uint8Array(MAX).toBase64();
    expect((await put("global", "LARGE_BASE64", base64, { fields: { encoding: "base64" } })).status).toBe(201);
    expect(await resolvedValue("LARGE_BASE64")).toBe(base64);
  });

  it("of 65,537 bytes is 413 value-too-large, in every form", async () => {
    const text = `${"é".repeat(MAX / 2)}a`;
    const replies = [
      await put("global", "TOO_LARGE", text),
      await setRaw("TOO_LARGE", text, "text/plain"),
      await setRaw("TOO_LARGE", new Uint8Array(MAX + 1), "application/octet-stream"),
      await put("global", "TOO_LARGE", new Uint8Array(MAX + 1).toBase64(), { fields: { encoding: "base64" } }),
      await call("POST /v1/secrets", { json: { scope: "global", name: "TOO_LARGE", value: text } }),
    ];
    for (const { status, body } of replies) expect([status, body.code]).toEqual([413, "value-too-large"]);
    expect((await call(`GET ${at("global", "TOO_LARGE")}`)).status).toBe(404);
  });

  it.each(["text/plain", "application/octet-stream"])("that is empty is 400 as %s", async (contentType) => {
    const { status, body } = await setRaw("EMPTY", new Uint8Array(0), contentType);
    expect([status, body.code]).toEqual([400, "invalid-request"]);
  });
});

describe("a body", () => {
  it("of exactly 1 MiB is read", async () => {
    const fields = '{"value":"v","description":"d"';
    const padded = `${fields}${" ".repeat(MIB - fields.length - 1)}}`;
    expect((await setRaw("PADDED", padded, "application/json")).status).toBe(201);
  });

  it("of more is 413 body-too-large, whatever it holds", async () => {
    for (const contentType of ["application/json", "text/plain", "application/octet-stream"]) {
      const { status, body } = await setRaw("HUGE", "a".repeat(MIB + 1), contentType);
      expect([status, body.code]).toEqual([413, "body-too-large"]);
    }
    expect((await call("POST /v1/resolve", { body: " ".repeat(MIB + 1), headers: { "Content-Type": "application/json" } })).status).toBe(413);
  });

  it("that comes in chunks without a Content-Length is held to the same limits", async () => {
    const cases: [number, number, string | undefined][] = [
      [MAX, 201, undefined],
      [MAX + 1, 413, "value-too-large"],
      [MIB, 413, "value-too-large"],
      [MIB + 1, 413, "body-too-large"],
    ];
    for (const [bytes, status, code] of cases) {
      const reply = await setRaw(`CHUNKED_${bytes}`, chunked(bytes), "application/octet-stream");
      expect([reply.status, reply.body.code]).toEqual([status, code]);
    }
  });
});

describe("a content type", () => {
  it.each(["text/plain", "text/plain; charset=UTF-8", 'text/plain;charset="utf-8"', "TEXT/PLAIN; charset=us-ascii"])("may be %s", async (contentType) => {
    const set = await setRaw("TYPED", "text é", contentType);
    expect([set.status < 300, set.body.encoding]).toEqual([true, "utf8"]);
    expect(await resolvedValue("TYPED")).toBe("text é");
  });

  it.each(["application/json; charset=utf-8", "application/json"])("of JSON may be %s", async (contentType) => {
    await setRaw("TYPED_JSON", '{"value":"from json"}', contentType);
    expect(await resolvedValue("TYPED_JSON")).toBe("from json");
  });

  const other = [
    "text/plain; charset=utf-16",
    "text/plain; charset=iso-8859-1",
    "text/html",
    "application/xml",
    "image/png",
    "application/x-www-form-urlencoded",
  ];
  it.each([...other, "text/plainish", "multipart/form-data; boundary=x"])("%s is 415 and sets nothing", async (contentType) => {
    const { status, body } = await setRaw("UNTYPED", "v", contentType);
    expect([status, body.code]).toEqual([415, "unsupported-media-type"]);
    expect((await call(`GET ${at("global", "UNTYPED")}`)).status).toBe(404);
  });

  it("with a Content-Encoding is 415: what is stored is the value itself", async () => {
    const headers = { "Content-Type": "application/octet-stream", "Content-Encoding": "gzip" };
    expect((await call(`PUT ${at("global", "UNTYPED")}`, { body: new Uint8Array([1]), headers })).status).toBe(415);
    expect((await call(`GET ${at("global", "UNTYPED")}`)).status).toBe(404);
  });

  it("that is missing is 415", async () => {
    const set = await call(`PUT ${at("global", "UNTYPED")}`, { body: new Uint8Array([1]) });
    expect([set.status, set.body.code]).toEqual([415, "unsupported-media-type"]);
  });

  it.each(["POST /v1/secrets", "PATCH /v1/secrets/sec_x", "POST /v1/resolve"])("other than JSON is 415 for %s", async (request) => {
    expect((await call(request, { body: "{}", headers: { "Content-Type": "text/plain" } })).status).toBe(415);
  });

  it.each<[string, string, string]>([
    ["text/plain; name=json", "text é", "utf8"],
    ["application/octet-stream; name=a.json", "bytes", "base64"],
  ])("that only names JSON in a parameter is not JSON: %s", async (contentType, body, encoding) => {
    expect((await setRaw("PARAMETER", body, contentType)).body).toMatchObject({ name: "PARAMETER", encoding });
  });

  it.each<[string, Uint8Array, string, number]>([
    ["in another character set", new TextEncoder().encode('{"value":"v"}'), "application/json; charset=iso-8859-1", 415],
    ["with bytes that are not UTF-8", Uint8Array.from([...new TextEncoder().encode('{"value":"caf'), 0xe9, 0x22, 0x7d]), "application/json", 400],
  ])("of JSON %s sets nothing", async (_, body, contentType, status) => {
    expect((await setRaw("UNTYPED", body, contentType)).status).toBe(status);
    expect((await call(`GET ${at("global", "UNTYPED")}`)).status).toBe(404);
  });

  it("text/plain with bytes that are not UTF-8 is 400", async () => {
    expect((await setRaw("UNTYPED", new Uint8Array([0xff, 0xfe]), "text/plain")).status).toBe(400);
    expect((await setRaw("UNTYPED", new Uint8Array([0xed, 0xa0, 0x80]), "text/plain")).status).toBe(400);
  });
});
