import { scopeSchema } from "../../src/contract/scope.ts";
import { objectPathOf } from "../../src/contract/vault-path.ts";
import { CANARY } from "./hostile.ts";
import { DELETED, type Known, NAMES, SCOPES } from "./valid.ts";

/** Makes a request with a token that may do everything. */
type Call = (
  request: string,
  options?: { json?: object },
) => Promise<{ readonly status: number; readonly body: Stored & { readonly secrets?: readonly Stored[]; readonly next_cursor?: string | null } }>;
type Stored = { readonly id: string; readonly locked?: boolean };

const STORE_TOKEN = { scope: "repo:acme/stores", store: "STORE_TOKEN" };
const TRUST = { issuer: "https://issuer.example.org", audience: "keyhole", claims: { sub: "ci" }, permissions: ["secrets:read"] };

/**
 * Puts back what requests look for and may have deleted: secrets of two versions, one that is deleted, tokens, a trust.
 *
 * @param operator The same with a token of the operator's organization: what is built in may be locked, and quotas set.
 */
export async function stock(call: Call, operator: Call): Promise<Known> {
  const secretIds: string[] = [];
  await operator("PUT /v1/quotas/acme", { json: {} });
  // A request may have locked a name in a wider scope: then it can be set in none below.
  for (const by of [operator, call]) await unlock(by);
  for (const [n, scope] of SCOPES.entries()) {
    const path = `/v1/scopes/${encodeURIComponent(scope)}/secrets/${NAMES[n]}`;
    const set = (value: string) => call(`PUT ${path}`, { json: { value, expires_at: null } });
    let { status, body } = await set(CANARY);
    // The scope may have been written as an object whose keys become the same variables.
    if (status === 409) {
      await call(`DELETE /v1/secret/metadata/${objectPathOf(scopeSchema.parse(scope))}`);
      ({ status, body } = await set(CANARY));
    }
    if (status === 201) ({ status, body } = await set(`${CANARY}2`));
    if (status >= 300) throw new Error(`the store is not stocked: ${status}`);
    secretIds.push(body.id);
  }
  for (const request of ["PUT", "DELETE"])
    await call(`${request} /v1/scopes/${encodeURIComponent(DELETED.scope)}/secrets/${DELETED.name}`, request === "PUT" ? { json: { value: CANARY } } : {});
  const tokens = [1, 2].map(() => call("POST /v1/tokens", { json: { label: "ci", permissions: ["secrets:read"], expires_in: 60 } }));
  await call("PUT /v1/trusts/github", { json: TRUST });
  await stockStore(call);
  return { secretIds, tokenIds: (await Promise.all(tokens)).map(({ body }) => body.id) };
}

/** A store whose credential is gone again: a check of it asks nobody. */
async function stockStore(call: Call): Promise<void> {
  const secret = `/v1/scopes/${encodeURIComponent(STORE_TOKEN.scope)}/secrets/${STORE_TOKEN.store}`;
  await call(`PUT ${secret}`, { json: { value: CANARY, hosts: ["vault.example.com"] } });
  await call("PUT /v1/stores/github", {
    json: { kind: "vault", address: "https://vault.example.com", mount: "secret", credentials: { token: { secret_key_ref: STORE_TOKEN } } },
  });
  await call(`DELETE ${secret}`);
}

async function unlock(by: Call): Promise<void> {
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { body } = await by(`GET /v1/secrets?limit=200${cursor === "" ? "" : `&cursor=${cursor}`}`);
    for (const { id, locked } of body.secrets ?? []) if (locked) await by(`PATCH /v1/secrets/${id}`, { json: { locked: false } });
    cursor = body.next_cursor ?? null;
  }
}
