import { randomBytes } from "node:crypto";
import type { Shot } from "./load.ts";
import { NAMES } from "./seed.ts";

/** The requests that are measured. */
export interface Cases {
  readonly resolve: (count: number) => Shot;
  readonly resolveInline: Shot;
  readonly resolveByGet: Shot;
  readonly notModified: (etag: string) => Shot;
  readonly set: () => Shot;
  readonly list: Shot;
  /** The first of the names, as clients of Vault read one secret. */
  readonly vaultSecret: Shot;
  /** All of the names that were seeded, as clients of Vault read a scope as one object. */
  readonly vaultObject: Shot;
}

/** The requests that are measured, with a token. */
export function casesFor(token: string): Cases {
  const bearer = { Authorization: `Bearer ${token}` };
  const vault = { "X-Vault-Token": token };
  const headers = { ...bearer, "Content-Type": "application/json" };
  const body = (count: number) => JSON.stringify({ scopes: ["namespace:prod"], names: NAMES.slice(0, count) });
  const resolve = (count: number): Shot => ({ method: "POST", path: "/v1/resolve", headers, body: body(count), expect: 200 });
  return {
    resolve,
    resolveInline: { ...resolve(1), body: JSON.stringify({ scopes: ["namespace:prod"], names: ["BENCH_INLINE"] }) },
    resolveByGet: { method: "GET", path: `/v1/resolve/${NAMES[0]}?scope=namespace:prod`, headers: bearer, expect: 200 },
    notModified: (etag) => ({ ...resolve(1), headers: { ...headers, "If-None-Match": etag }, expect: 304 }),
    set: () => ({
      method: "PUT",
      path: "/v1/scopes/namespace%3Aprod/secrets/BENCH_SET",
      headers,
      body: JSON.stringify({ value: randomBytes(16).toString("hex") }),
      expect: 200,
    }),
    list: { method: "GET", path: "/v1/secrets?limit=50", headers, expect: 200 },
    vaultSecret: { method: "GET", path: `/v1/kv/data/namespace/prod/${NAMES[0]}`, headers: vault, expect: 200 },
    vaultObject: { method: "GET", path: "/v1/secret/data/namespace/prod", headers: vault, expect: 200 },
  };
}

/** The same request, which asks for a lease. */
export function underLease(shot: Shot): Shot {
  return { ...shot, headers: { ...shot.headers, "Cache-Control": "max-age=300" } };
}
