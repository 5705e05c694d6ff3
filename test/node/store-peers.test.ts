import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Issuer, startIssuer } from "../support/issuer.ts";
import { installMoto } from "./support/stores/moto-server.ts";
import { type Driver, openInNode, SUBJECT } from "./support/stores/open-in-node.ts";
import { ROOT_TOKEN, startOpenBao } from "./support/vault/openbao-server.ts";

/** OpenBao's program, where the run is given one. */
const { BAO } = process.env;
const ROLE = "arn:aws:iam::123456789012:role/keyhole";

const folder = mkdtempSync(join(tmpdir(), "store-peers-"));
const closing: (() => Promise<void>)[] = [];
let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer("RS256");
});
afterAll(async () => {
  await Promise.all(closing.map((close) => close()));
  rmSync(folder, { recursive: true, force: true });
});

type Open = () => Driver;
/** Stores that are none of ours, each opened in every way: or why there is none here. */
const STORES: Readonly<Record<string, () => Promise<Readonly<Record<string, Open>>>>> = {
  async moto() {
    const { origin, close } = await startMoto();
    closing.push(close);
    const open = (more: object, credentials?: object) => () =>
      openInNode({ kind: "aws-secrets-manager", region: "eu-central-1", endpoint: origin, ...more }, credentials, issuer, { sts: origin });
    const keys = { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
    return { keys: open({}, keys), "a role by keys": open({ role_arn: ROLE }, keys), "a role by a token of Keyhole's": open({ role_arn: ROLE }) };
  },
  async openbao() {
    const server = await startOpenBao(BAO ?? "", issuer);
    closing.push(server.close);
    await setUpRole(server.url);
    const open = (credentials: object) => () => openInNode({ kind: "vault", address: server.url, mount: "secret" }, credentials, issuer);
    return { "a token": open({ token: ROOT_TOKEN }), "a token of Keyhole's": open({ role: "store", jwt_auth: "jwt" }) };
  },
};

/** A role that is given to whoever brings a token whose audience is this OpenBao's own address. */
async function setUpRole(url: string): Promise<void> {
  const kinds = ["data", "metadata"].map((kind) => `path "secret/${kind}/*" { capabilities = ["create", "read", "update", "delete", "list"] }`);
  const role = { role_type: "jwt", bound_audiences: [url], bound_subject: SUBJECT, user_claim: "sub", token_policies: ["store"], token_type: "batch" };
  for (const [path, body] of Object.entries({ "sys/policies/acl/store": { policy: kinds.join("\n") }, "auth/jwt/role/store": role })) {
    const reply = await fetch(`${url}/v1/${path}`, { method: "POST", headers: { "X-Vault-Token": ROOT_TOKEN }, body: JSON.stringify(body) });
    if (!reply.ok) throw new Error(await reply.text());
  }
}

let startMoto: ReturnType<typeof installMoto>;
const had: string[] = [];
try {
  startMoto = installMoto(join(folder, "python"));
  had.push("moto");
} catch (error) {
  console.log(`SKIPPED: moto was not tried: ${(error as Error).message}`);
}
if (BAO) had.push("openbao");
else console.log("SKIPPED: OpenBao was not tried, because BAO is not set to the path of its program.");

const bytes = (text: string) => new Uint8Array(new TextEncoder().encode(text));
const write = () => ({ operation: crypto.randomUUID() });
const refusalOf = (work: Promise<unknown>) =>
  work.then(
    () => "none",
    (error: { refusal?: string }) => error.refusal ?? String(error),
  );

describe.each(had)("%s", (name) => {
  let ways: Readonly<Record<string, Open>>;
  beforeAll(async () => {
    ways = (await STORES[name]?.()) ?? {};
  });

  it("does for the driver what the fake does, in every way in which it knows who asks", { timeout: 300_000 }, async () => {
    for (const [way, open] of Object.entries(ways)) await tryStore(name, open(), `peers/${way.replaceAll(/\W/g, "-")}`);
    expect(Object.keys(ways).length).toBeGreaterThan(1);
  });
});

async function tryStore(kind: string, store: Driver, folder: string): Promise<void> {
  const key = `${folder}/A_KEY`;
  expect(await store.get(key)).toBeUndefined();
  const values = [bytes('ä\n"\\🔑'), bytes('{"a":1}'), new Uint8Array([0, 255, 128])];
  for (const value of values) {
    const { version } = await store.put(key, value, write());
    expect(await store.get(key)).toMatchObject({ value, version });
    expect(await store.get(key, version)).toMatchObject({ value, version });
  }
  const again = write();
  const first = await store.put(key, bytes("1"), again);
  expect(await store.put(key, bytes("1"), again)).toEqual(first);
  const second = await store.put(key, bytes("2"), { ...write(), ifVersion: first.version });
  expect(await store.put(key, bytes("1"), again)).toEqual(first);
  expect(await store.get(key)).toMatchObject({ value: bytes("2"), version: second.version });
  expect(await refusalOf(store.put(key, bytes("x"), { ...write(), ifVersion: first.version }))).toBe("conflict");
  expect(await refusalOf(store.put(key, bytes("x"), { ...write(), ifVersion: null }))).toBe("conflict");
  expect(await store.get(key)).toMatchObject({ value: bytes("2"), version: second.version });
  for (let number = 0; number < 120; number++) await store.put(`${folder}/bulk/${number}`, bytes("x"), { ...write(), ifVersion: null });
  expect((await listed(store, `${folder}/`)).length).toBe(121);
  expect(await listed(store, `${folder}/A`)).toEqual([key]);
  expect([await store.delete(key), await store.delete(key), await store.get(key)]).toEqual([true, false, undefined]);
  expect(await store.delete(`${folder}/never`)).toBe(false);
  // A deleted name is taken at AWS, and free at OpenBao.
  expect(await refusalOf(store.put(key, bytes("3"), { ...write(), ifVersion: null }))).toBe(kind === "moto" ? "deleted-name" : "none");
}

async function listed(store: Driver, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await store.list(prefix, cursor);
    keys.push(...page.keys);
    cursor = page.next;
  } while (cursor !== undefined);
  return keys;
}
