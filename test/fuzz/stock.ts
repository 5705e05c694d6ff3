import { CANARY } from "./hostile.ts";
import { type Known, NAMES, SCOPES } from "./valid.ts";

/** Makes a request with a token that may do everything. */
type Call = (
  request: string,
  options?: { json?: object },
) => Promise<{ readonly status: number; readonly body: Stored & { readonly secrets?: readonly Stored[] } }>;
type Stored = { readonly id: string; readonly locked?: boolean };

const TRUST = { issuer: "https://issuer.example.org", audience: "keyhole", claims: { sub: "ci" }, permissions: ["secrets:read"] };

/**
 * Puts back what requests look for and may have deleted: secrets of two versions, tokens, a trust.
 *
 * @param operator The same with a token of the operator's organization: what is built in may be locked, and quotas set.
 */
export async function stock(call: Call, operator: Call): Promise<Known> {
  const secretIds: string[] = [];
  await operator("PUT /v1/quotas/acme", { json: {} });
  // A request may have locked a name in a wider scope: then it can be set in none below.
  for (const by of [operator, call])
    for (const name of new Set(NAMES)) {
      const { body } = await by(`GET /v1/secrets?name=${name}&limit=200`);
      for (const { id, locked } of body.secrets ?? []) if (locked) await by(`PATCH /v1/secrets/${id}`, { json: { locked: false } });
    }
  for (const [n, scope] of SCOPES.entries()) {
    const path = `/v1/scopes/${encodeURIComponent(scope)}/secrets/${NAMES[n]}`;
    for (const value of [CANARY, `${CANARY}2`]) {
      const { status, body } = await call(`PUT ${path}`, { json: { value, expires_at: null } });
      if (status >= 300) throw new Error(`the store is not stocked: ${status}`);
      if (!secretIds.includes(body.id)) secretIds.push(body.id);
    }
  }
  const tokens = [1, 2].map(() => call("POST /v1/tokens", { json: { label: "ci", permissions: ["secrets:read"], expires_in: 60 } }));
  await call("PUT /v1/trusts/github", { json: TRUST });
  return { secretIds, tokenIds: (await Promise.all(tokens)).map(({ body }) => body.id) };
}
