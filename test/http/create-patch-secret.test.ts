import { describe, expect, it } from "vitest";
import { at, call, put } from "../support/call.ts";
import { resolvedValue } from "../support/resolved-value.ts";

describe("POST /v1/secrets", () => {
  it("creates with 201, a Location that leads to it, and no value in the reply", async () => {
    const json = { scope: "namespace:prod", name: "CREATED", value: "created-value", description: "d", labels: { a: "b" } };
    const created = await call("POST /v1/secrets", { json });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({ name: "CREATED", scope: "namespace:prod", version: 1, description: "d", labels: { a: "b" } });
    expect(created.text).not.toContain("created-value");
    expect(created.headers.get("Location")).toBe(`/v1/secrets/${created.body.id}`);
    const got = await call(`GET ${created.headers.get("Location")}`);
    expect(got.body).toEqual(created.body);
    expect(got.headers.get("ETag")).toBe(created.headers.get("ETag"));
    expect(await resolvedValue("CREATED", "namespace:prod")).toBe("created-value");
  });

  it("refuses a name that the scope holds with 409 and leaves that secret as it is", async () => {
    await put("global", "TAKEN", "first");
    const { status, body } = await call("POST /v1/secrets", { json: { scope: "global", name: "TAKEN", value: "second" } });
    expect([status, body.code]).toEqual([409, "secret-exists"]);
    expect(await resolvedValue("TAKEN")).toBe("first");
  });

  it("lets exactly one of several at once create", async () => {
    const values = ["a", "b", "c", "d", "e"];
    const replies = await Promise.all(values.map((value) => call("POST /v1/secrets", { json: { scope: "global", name: "RACE", value } })));
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409, 409]);
    expect(await resolvedValue("RACE")).toBe(values[replies.findIndex(({ status }) => status === 201)]);
  });
});

describe("PATCH /v1/secrets/{id}", () => {
  it("changes the value as a new version", async () => {
    const { body } = await put("global", "PATCHED", "one");
    const patched = await call(`PATCH /v1/secrets/${body.id}`, { json: { value: btoa("two"), encoding: "base64" } });
    expect(patched.status).toBe(200);
    expect(patched.body).toMatchObject({ id: body.id, version: 2, encoding: "base64", changed: true });
    expect(await resolvedValue("PATCHED")).toBe(btoa("two"));
  });

  it("changes only what it names and clears what is null", async () => {
    const { body } = await put("global", "PARTIAL", "one", { fields: { description: "d", labels: { a: "b" }, rotate_after_days: 3 } });
    const patched = await call(`PATCH /v1/secrets/${body.id}`, { json: { description: null, expires_at: "2041-05-06T07:08:09Z" } });
    expect(patched.body).toMatchObject({ version: 1, description: null, labels: { a: "b" }, expires_at: "2041-05-06T07:08:09.000Z", rotate_after_days: 3 });
    expect((await call(`PATCH /v1/secrets/${body.id}`, { json: { labels: {} } })).body.labels).toEqual({});
    expect(await resolvedValue("PARTIAL")).toBe("one");
  });

  it("says that nothing changed when nothing did", async () => {
    const set = await put("global", "UNMOVED", "one", { fields: { description: "d" } });
    for (const json of [{}, { value: "one" }, { description: "d" }]) {
      const patched = await call(`PATCH /v1/secrets/${set.body.id}`, { json });
      expect(patched.body.changed).toBe(false);
      expect(patched.headers.get("ETag")).toBe(set.headers.get("ETag"));
    }
  });

  it("does not move a secret to another name or scope", async () => {
    const { body } = await put("global", "FIXED", "one");
    for (const json of [{ name: "OTHER" }, { scope: "team:other" }, { version: 7 }]) {
      expect((await call(`PATCH /v1/secrets/${body.id}`, { json })).status).toBe(400);
    }
    expect((await call(`GET ${at("global", "FIXED")}`)).body).toMatchObject({ version: 1, id: body.id });
  });

  it("refuses an encoding without a value", async () => {
    const { body } = await put("global", "ENCODING_ALONE", "one");
    const refused = await call(`PATCH /v1/secrets/${body.id}`, { json: { encoding: "base64" } });
    expect([refused.status, refused.body.errors[0].pointer]).toEqual([400, "/encoding"]);
  });

  it("is 404 for an id that is not there", async () => {
    const { status, body } = await call("PATCH /v1/secrets/sec_absent", { json: { description: "d" } });
    expect([status, body.code]).toEqual([404, "secret-not-found"]);
  });
});
