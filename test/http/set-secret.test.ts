import { describe, expect, it } from "vitest";
import { at, call, put, resolve } from "../support/call.ts";
import { resolvedValue } from "../support/resolved-value.ts";

describe("PUT /v1/scopes/{scope}/secrets/{name}", () => {
  it("creates with 201 and adds a version with 200", async () => {
    const first = await put("team:core", "VERSIONED", "one");
    expect(first.status).toBe(201);
    expect(first.body).toMatchObject({ version: 1, changed: true, encoding: "utf8", description: null, labels: {}, created_by: "tester" });
    const second = await put("team:core", "VERSIONED", "two", { token: { sub: "other" } });
    expect(second.status).toBe(200);
    expect(second.body).toMatchObject({ id: first.body.id, version: 2, changed: true, created_by: "tester", updated_by: "other" });
    expect(second.body.updated_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(await resolvedValue("VERSIONED", "team:core")).toBe("two");
  });

  it("adds no version for the value that it holds already", async () => {
    const first = await put("team:core", "SAME", "one");
    const again = await put("team:core", "SAME", "one");
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({ version: 1, changed: false, updated_at: first.body.updated_at });
    expect(again.headers.get("ETag")).toBe(first.headers.get("ETag"));
  });

  it("changes the metadata of a secret without adding a version, and says so", async () => {
    const first = await put("team:core", "DESCRIBED", "one", { fields: { labels: { b: "2", a: "1" } } });
    const again = await put("team:core", "DESCRIBED", "one", { fields: { description: "what it is for", rotate_after_days: 30 } });
    expect(again.body).toMatchObject({ version: 1, changed: true, description: "what it is for", rotate_after_days: 30, labels: { a: "1", b: "2" } });
    expect(again.headers.get("ETag")).not.toBe(first.headers.get("ETag"));
    const same = await put("team:core", "DESCRIBED", "one", { fields: { labels: { a: "1", b: "2" } } });
    expect(same.body.changed).toBe(false);
  });

  it("keeps fields that are left out and clears those that are null", async () => {
    const expires_at = "2040-01-01T02:00:00+02:00";
    await put("team:core", "FIELDS", "one", { fields: { description: "d", expires_at, rotate_after_days: 1 } });
    const kept = await put("team:core", "FIELDS", "two");
    expect(kept.body).toMatchObject({ description: "d", expires_at: "2040-01-01T00:00:00.000Z", rotate_after_days: 1 });
    const cleared = await put("team:core", "FIELDS", "three", { fields: { description: null, expires_at: null, rotate_after_days: null } });
    expect(cleared.body).toMatchObject({ description: null, expires_at: null, rotate_after_days: null });
  });

  it("takes a text/plain body as the exact text", async () => {
    const text = "\ufeff  line one\r\nline two ünï 🔑\n";
    const set = await call(`PUT ${at("team:core", "PLAIN")}`, { body: text, headers: { "Content-Type": "text/plain; charset=utf-8" } });
    expect(set.status).toBe(201);
    expect(set.body.encoding).toBe("utf8");
    expect(await resolvedValue("PLAIN", "team:core")).toBe(text);
  });

  it("takes an octet-stream body as the exact bytes", async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, n) => n);
    const set = await call(`PUT ${at("team:core", "BYTES")}`, { body: bytes, headers: { "Content-Type": "application/octet-stream" } });
    expect(set.body.encoding).toBe("base64");
    const resolved = await resolve({ scopes: ["team:core"], names: ["BYTES"] });
    expect(resolved.body.secrets.BYTES).toMatchObject({ encoding: "base64", value: bytes.toBase64() });
  });

  it("takes base64 in JSON as bytes, and the same bytes raw as the same value", async () => {
    const bytes = new Uint8Array([0, 255, 10, 13]);
    await put("team:core", "BASE64", bytes.toBase64(), { fields: { encoding: "base64" } });
    const raw = await call(`PUT ${at("team:core", "BASE64")}`, { body: bytes, headers: { "Content-Type": "application/octet-stream" } });
    expect(raw.body).toMatchObject({ version: 1, changed: false });
  });

  it("adds a version when only the encoding differs, because a resolve shows it", async () => {
    await put("team:core", "ENCODED", "abcd");
    const again = await put("team:core", "ENCODED", btoa("abcd"), { fields: { encoding: "base64" } });
    expect(again.body).toMatchObject({ version: 2, changed: true, encoding: "base64" });
  });

  it("keeps one name apart in scopes, and by case", async () => {
    const scopes = ["global", "team:apart", "namespace:apart", "agent:apart", "repo:a/b"];
    for (const scope of scopes) expect((await put(scope, "Apart", scope)).status).toBe(201);
    expect((await put("team:cased", "APART", "other case")).status).toBe(201);
    expect((await call("POST /v1/resolve", { json: { scopes: ["team:cased"], names: ["APART", "Apart"] } })).body.secrets).toMatchObject({
      APART: { value: "other case" },
      Apart: { value: "global" },
    });
    for (const scope of scopes) expect(await resolvedValue("Apart", scope)).toBe(scope);
  });
});
