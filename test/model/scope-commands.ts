import fc from "fast-check";
import { expect } from "vitest";
import { type Command, commands, scopes } from "./command.ts";
import { linkStatus, remove, scopesOf } from "./model.ts";

const pathOf = (scope: string) => `/v1/scopes/${encodeURIComponent(scope)}`;
const inTree = fc.oneof(scopes, fc.constantFrom("team:u1", "team:u2", "team:u3"));

const link = commands("link", fc.record({ scope: inTree, parent: inTree }), async ({ scope, parent }, model, real) => {
  const expected = linkStatus(model, scope, parent);
  const { status, body } = await real.call(`PUT ${pathOf(scope)}`, { parent });
  expect(status).toBe(expected);
  if (status !== 200) return;
  model.parents.set(scope, parent);
  expect(body).toEqual(scopesOf(model).find((row) => row.scope === scope));
});

const unlink = commands("unlink", scopes, async (scope, model, real) => {
  const { status } = await real.call(`DELETE ${pathOf(scope)}`);
  expect(status).toBe(model.parents.delete(scope) ? 204 : 404);
});

const empty = commands("empty", scopes, async (scope, model, real) => {
  const row = scopesOf(model).find((each) => each.scope === scope);
  const { status, body } = await real.call(`DELETE ${pathOf(scope)}?secrets=true`);
  if (!row) return void expect([status, body.code]).toEqual([404, "scope-not-found"]);
  expect([status, body]).toMatchObject([200, { deleted: row.secrets, remaining: 0 }]);
  model.parents.delete(scope);
  for (const secret of [...model.secrets.values()]) if (secret.scope === scope) remove(model, secret);
});

const list = commands("scopes", fc.constant(null), async (_, model, real) => {
  const { body } = await real.call("GET /v1/scopes?limit=200");
  expect(body).toEqual({ scopes: scopesOf(model), next_cursor: null });
});

export const scopeCommands: fc.Arbitrary<Command>[] = [link, link, unlink, empty, list];
