import { describe, expect, it } from "vitest";
import type { Encoding } from "../../src/contract/secret.ts";
import { associatedData } from "../../src/worker/envelope/binding.ts";
import { OpenError, open } from "../../src/worker/envelope/open.ts";
import { judgeSeal, type SealFormat } from "../../src/worker/envelope/row-seal.ts";
import { SEAL_FORMATS } from "../../src/worker/transaction/verify-row.ts";
import v1 from "../vectors/envelope-v1.json" with { type: "json" };
import v2 from "../vectors/envelope-v2.json" with { type: "json" };
import seals from "../vectors/row-seals.json" with { type: "json" };
import { keyring } from "./keyrings.ts";

// These were sealed once and never change: what is stored today must open for as long as their format is read.
const VECTORS = [...v1.map(({ binding, ...rest }) => ({ ...rest, binding: { ...binding, id: "sec_any", encoding: "utf8" } })), ...v2];

describe.each(VECTORS)("the frozen $binding.name of $binding.scope", ({ binding, value, sealed }) => {
  const bound = { ...binding, encoding: binding.encoding as Encoding };

  it("opens to its value", async () => {
    expect((await open(keyring, bound, sealed)).toBase64()).toBe(value);
  });

  it("opens nowhere else", async () => {
    await expect(open(keyring, { ...bound, version: binding.version + 1 }, sealed)).rejects.toThrow(OpenError);
  });
});

describe.each(v2)("the frozen $binding.name of the second format", ({ binding, sealed }) => {
  it("does not open for another secret, or in another form", async () => {
    const bound = { ...binding, encoding: binding.encoding as Encoding };
    await expect(open(keyring, { ...bound, id: "sec_other" }, sealed)).rejects.toThrow(OpenError);
    await expect(open(keyring, { ...bound, encoding: bound.encoding === "utf8" ? "base64" : "utf8" }, sealed)).rejects.toThrow(OpenError);
    await expect(open(keyring, bound, { ...sealed, ciphertext: sealed.ciphertext.replace("v2:", "v1:") })).rejects.toThrow(OpenError);
  });
});

describe.each(seals)("the frozen seal of a row of $format.table", ({ format, row, seal }) => {
  it("is that row's, and no other's", async () => {
    expect(await judgeSeal(keyring, format as SealFormat, row, seal)).toEqual({ outcome: "good" });
    for (const { name } of format.columns) {
      const bent = { ...row, [name]: "bent" };
      expect(await judgeSeal(keyring, format as SealFormat, bent, seal), name).toMatchObject({ outcome: "broken" });
    }
  });
});

describe("the frozen seal of a secret's row from before it had a lock and a lease, and could be deleted", () => {
  const before = seals.find(({ format }) => format.table === "secrets" && format.format === 1);
  const check = (columns: object) => judgeSeal(keyring, SEAL_FORMATS.secrets, { ...before?.row, ...columns }, before?.seal ?? null);

  it("is good while it has neither, and no longer", async () => {
    const defaults = { locked: 0, max_lease_seconds: null, deleted_at: null, deleted_until: null, variable: 1, hosts: "[]", hosts_brought: 0 };
    expect(await check(defaults)).toMatchObject({ outcome: "good" });
    const others = [
      { locked: 1 },
      { max_lease_seconds: 0 },
      { locked: null },
      { deleted_at: 1 },
      { deleted_until: 1 },
      { variable: 0 },
      { hosts: '["a.example.com"]' },
      { hosts_brought: 1 },
    ];
    for (const columns of [...others.map((other) => ({ ...defaults, ...other })), {}])
      expect(await check(columns), JSON.stringify(columns)).toMatchObject({ outcome: "broken" });
  });
});

describe.each(["trusts", "tokens"] as const)("the frozen seal of a row of %s from before it said anything of leases and makers", (table) => {
  const before = seals.find(({ format }) => format.table === table && format.format === 1);
  const check = (columns: object) => judgeSeal(keyring, SEAL_FORMATS[table], { ...before?.row, ...columns }, before?.seal ?? null);

  it("is good while it says none of it, and no longer", async () => {
    const others = { trusts: { maker: null, reuse: "until-expiry", jwks_url: null, jwks: null, login: null }, tokens: { maker_issued_at: null } };
    const defaults = { lease_seconds: 0, services: null, ...others[table] };
    expect(await check(defaults)).toMatchObject({ outcome: "good" });
    for (const name of Object.keys(defaults)) expect(await check({ ...defaults, [name]: 1 }), name).toMatchObject({ outcome: "broken" });
    expect(await check({ ...defaults, lease_seconds: null })).toMatchObject({ outcome: "broken" });
  });
});

describe("the associated data", () => {
  const place = { org: "acme", scope: "repo:a/b", name: 'é"', version: 7, id: "sec_1", encoding: "utf8" } as const;

  it.each([
    ["v1", '["keyhole/v1","acme","repo:a/b","é\\"",7]'],
    ["v2", '["keyhole/v2","acme","repo:a/b","é\\"",7,"sec_1","utf8"]'],
  ] as const)("of %s is a JSON array in UTF-8", (format, json) => {
    expect(new TextDecoder().decode(associatedData(format, place))).toBe(json);
  });
});
