import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { call, put, resolve } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";

const operator = callWith({ PLATFORM_ORG: "platform" });
const token = { org: "platform" };
const list = async () => (await operator("GET /v1/seals", { token })).body;
const confirm = (digest: string) => operator("POST /v1/seals", { token, json: { digest } });
const nothing = { rows: [], more: false };

let count = 0;
let org = "";
beforeEach(async () => {
  org = `sealing-${++count}`;
  const { digest, rows } = await list();
  if (rows.length > 0) expect((await confirm(digest)).status).toBe(200);
});

/** A secret as the guide on adopting plaintext loads one. */
async function load(name: string, value: string, encoding = "utf8"): Promise<void> {
  const id = `sec_${org}_${name}`;
  await env.DB.batch([
    env.DB.prepare(
      "INSERT INTO secrets (id, org, scope, name, version, revision, created_at, created_by, updated_at, updated_by, rotated_at) VALUES (?, ?, 'global', ?, 1, 1, 0, 'legacy', 0, 'legacy', 0)",
    ).bind(id, org, name),
    env.DB.prepare("INSERT INTO versions (secret_id, version, encoding, created_at, created_by, legacy_plaintext) VALUES (?, 1, ?, 0, 'legacy', ?)").bind(
      id,
      encoding,
      value,
    ),
  ]);
}

describe("rows without a seal", () => {
  it("are nowhere to be seen where there are none", async () => {
    expect(await list()).toMatchObject(nothing);
    expect((await confirm("A".repeat(43))).body.code).toBe("version-conflict");
  });

  it("count for nothing until they are confirmed, and then are what they were", async () => {
    await env.DB.prepare("INSERT INTO scopes (org, scope, parent) VALUES (?, 'repo:a/b', 'team:t')").bind(org).run();
    await put("team:t", "KEY", "the-value", { token: { org } });
    expect((await resolve({ scopes: ["repo:a/b"], names: ["KEY"] }, { token: { org } })).body.code).toBe("integrity-failed");
    const { rows, digest } = await list();
    expect(rows).toEqual([{ table: "scopes", org, columns: { org, scope: "repo:a/b", parent: "team:t" }, broken: false }]);
    expect((await confirm(digest)).body).toEqual({ sealed: 1, more: false });
    expect((await resolve({ scopes: ["repo:a/b"], names: ["KEY"] }, { token: { org } })).body.secrets.KEY.value).toBe("the-value");
    expect(await list()).toMatchObject(nothing);
  });

  it("are sealed as they were listed, or not at all", async () => {
    await env.DB.prepare("INSERT INTO scopes (org, scope, parent) VALUES (?, 'repo:a/b', 'team:t')").bind(org).run();
    const { digest } = await list();
    await env.DB.prepare("UPDATE scopes SET parent = 'team:planted' WHERE org = ?").bind(org).run();
    expect((await confirm(digest)).body.code).toBe("version-conflict");
    expect((await list()).rows).toHaveLength(1);
  });

  it("that hold plaintext are encrypted with it, and what is no value stays", async () => {
    await load("TEXT", "the-plaintext");
    await load("BYTES", "AP8Q", "base64");
    await load("NONE", "not base64!", "base64");
    expect((await resolve({ names: ["TEXT"] }, { token: { org } })).body.code).toBe("integrity-failed");
    const { rows, digest } = await list();
    expect(rows.map(({ columns }: { columns: { name: string } }) => columns.name).sort()).toEqual(["BYTES", "NONE", "TEXT"]);
    expect(JSON.stringify(rows)).not.toContain("the-plaintext");
    expect((await confirm(digest)).body).toEqual({ sealed: 2, more: false });
    const { body } = await resolve({ names: ["TEXT", "BYTES"] }, { token: { org } });
    expect([body.secrets.TEXT.value, body.secrets.BYTES.value, body.secrets.BYTES.encoding]).toEqual(["the-plaintext", "AP8Q", "base64"]);
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM versions WHERE legacy_plaintext = 'the-plaintext'").first("n")).toBe(0);
    await env.DB.prepare("DELETE FROM secrets WHERE org = ? AND name = 'NONE'").bind(org).run();
  });

  it("whose plaintext was changed after they were listed are not sealed", async () => {
    await load("TEXT", "the-plaintext");
    const { digest } = await list();
    await env.DB.prepare("UPDATE versions SET legacy_plaintext = 'planted' WHERE secret_id LIKE ?").bind(`sec_${org}%`).run();
    expect((await confirm(digest)).body.code).toBe("version-conflict");
  });

  it("that were bent are listed once a call has come across them, and can be confirmed", async () => {
    const { body } = await put("global", "BENT", "the-value", { token: { org } });
    await env.DB.prepare("UPDATE secrets SET expires_at = 9999999999999 WHERE id = ?").bind(body.id).run();
    expect((await resolve({ names: ["BENT"] }, { token: { org } })).status).toBe(500);
    const { rows, digest } = await list();
    expect(rows).toMatchObject([{ table: "secrets", org, columns: { id: body.id, expires_at: 9999999999999 }, broken: true }]);
    expect((await confirm(digest)).status).toBe(200);
    expect((await resolve({ names: ["BENT"] }, { token: { org } })).status).toBe(200);
  });

  it("are on record when they are sealed", async () => {
    await env.DB.prepare("INSERT INTO scopes (org, scope, parent) VALUES (?, 'repo:a/b', 'team:t')").bind(org).run();
    const { digest } = await list();
    await confirm(digest);
    expect((await call("GET /v1/audit?action=keys.seal&limit=1", { token })).body.events).toMatchObject([{ outcome: "allowed", target: digest }]);
  });
});
