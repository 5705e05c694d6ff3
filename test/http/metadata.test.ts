import { describe, expect, it } from "vitest";
import { INITIAL_METADATA, METADATA_NAMES, metadataFromColumns, metadataToColumns, SECRET_METADATA } from "../../src/contract/secret-metadata.ts";
import { at, call, put } from "../support/call.ts";

const token = { org: "metadata" };
const NONE = metadataFromColumns(INITIAL_METADATA);

// Each field of the table is tried with the example in its request schema, so a new one is tried without a new test.
describe.each(METADATA_NAMES)("the field %s of a secret", (name) => {
  const example = SECRET_METADATA[name].request.meta()?.example ?? SECRET_METADATA[name].request.unwrap().meta()?.example;
  const shown = metadataFromColumns({ ...INITIAL_METADATA, ...metadataToColumns({ [name]: example }) })[name];
  const secret = async (id: string) => (await call(`GET /v1/secrets/${id}`, { token })).body;

  it("has an example that says something", () => {
    expect(SECRET_METADATA[name].request.safeParse(example).success).toBe(true);
    expect(shown).not.toEqual(NONE[name]);
  });

  it("is written by PUT, read back, seen as a change once, and cleared", async () => {
    const { id, ...first } = (await put("global", `PUT_${name}`, "v", { token })).body;
    expect(first).toMatchObject({ ...NONE, changed: true });
    const set = (value: unknown) => put("global", `PUT_${name}`, "v", { token, fields: { [name]: value } });
    expect((await set(example)).body).toMatchObject({ ...NONE, [name]: shown, version: 1, changed: true });
    expect(await secret(id)).toMatchObject({ ...NONE, [name]: shown });
    expect((await set(example)).body).toMatchObject({ [name]: shown, changed: false });
    expect((await put("global", `PUT_${name}`, "v", { token })).body, "left out it stays").toMatchObject({ [name]: shown, changed: false });
    expect((await put("global", `PUT_${name}`, "w", { token })).body, "a new value keeps it").toMatchObject({ [name]: shown, version: 2 });
    expect((await set(NONE[name])).body).toMatchObject({ ...NONE, version: 3, changed: true });
    expect((await set(NONE[name])).body).toMatchObject({ changed: false });
    expect(await secret(id)).toMatchObject(NONE);
  });

  it("is written by the PUT and by the POST that create a secret", async () => {
    const created = await put("team:t", `NEW_${name}`, "v", { token, fields: { [name]: example } });
    expect([created.status, created.body]).toEqual([201, expect.objectContaining({ ...NONE, [name]: shown })]);
    const posted = await call("POST /v1/secrets", { token, json: { scope: "team:u", name: `NEW_${name}`, value: "v", [name]: example } });
    expect([posted.status, posted.body]).toEqual([201, expect.objectContaining({ ...NONE, [name]: shown })]);
    for (const { body } of [created, posted]) expect(await secret(body.id)).toMatchObject({ ...NONE, [name]: shown });
  });

  it("is written by PATCH, and listed", async () => {
    const { id } = (await put("team:p", `PATCH_${name}`, "v", { token })).body;
    const patch = (value: unknown) => call(`PATCH /v1/secrets/${id}`, { token, json: { [name]: value } });
    expect((await patch(example)).body).toMatchObject({ ...NONE, [name]: shown, version: 1, changed: true });
    expect((await patch(example)).body).toMatchObject({ changed: false });
    const { secrets } = (await call(`GET /v1/secrets?name=PATCH_${name}`, { token })).body;
    expect(secrets).toEqual([expect.objectContaining({ ...NONE, [name]: shown })]);
    expect((await patch(NONE[name])).body).toMatchObject({ ...NONE, changed: true });
    expect((await call(`GET ${at("team:p", `PATCH_${name}`)}`, { token })).body).toMatchObject(NONE);
  });

  it("does not change with a rollback or an import", async () => {
    const { id } = (await put("team:r", `KEPT_${name}`, "1", { token, fields: { [name]: example } })).body;
    await call("POST /v1/import", { token, json: { scope: "team:r", secrets: { [`KEPT_${name}`]: "2" } } });
    expect(await secret(id)).toMatchObject({ [name]: shown, version: 2 });
    expect((await call(`POST /v1/secrets/${id}/rollback`, { token, json: { version: 1 } })).body).toMatchObject({ [name]: shown, version: 3 });
  });
});
