import fc from "fast-check";
import { expect } from "vitest";
import { type Command, commands, condition, conditionHeaders, fails, idOf, place } from "./command.ts";
import { change, find, isLockedAbove, type Secret, view } from "./model.ts";

const version = fc.integer({ min: 1, max: 5 });

const rollback = commands("rollback", fc.record({ place, version, condition }), async (drawn, model, real) => {
  const { scope, name } = drawn.place;
  const secret = find(model, scope, name);
  const headers = await conditionHeaders(drawn.condition, secret?.id, real);
  const { status, body } = await real.call(`POST /v1/secrets/${idOf(model, scope, name)}/rollback`, { version: drawn.version }, headers);
  if (!secret) return void expect([status, body.code]).toEqual([404, "secret-not-found"]);
  if (fails(drawn.condition, true)) return void expect([status, body.code]).toEqual([412, "version-conflict"]);
  const value = secret.values[drawn.version - 1] ?? undefined;
  if (value === undefined) return void expect([status, body.code]).toEqual([404, "version-not-found"]);
  if (isLockedAbove(model, scope, name)) return void expect([status, body.code]).toEqual([422, "name-locked"]);
  const changed = change(model, secret, value, {});
  expect([status, body]).toEqual([200, expect.objectContaining({ ...view(model, secret), changed })]);
});

const destroy = commands("destroy", fc.record({ place, version }), async (drawn, model, real) => {
  const { scope, name } = drawn.place;
  const secret = find(model, scope, name);
  const { status, body } = await real.call(`DELETE /v1/secrets/${idOf(model, scope, name)}/versions/${drawn.version}`);
  if (!secret) return void expect([status, body.code]).toEqual([404, "secret-not-found"]);
  if (drawn.version > secret.values.length) return void expect([status, body.code]).toEqual([404, "version-not-found"]);
  if (drawn.version === secret.values.length) return void expect([status, body.code]).toEqual([412, "version-conflict"]);
  expect(status).toBe(204);
  secret.values[drawn.version - 1] = null;
});

const stateOf = ({ values }: Secret, n: number) => {
  if (values[n] === null) return "destroyed";
  return n === values.length - 1 ? "current" : "previous";
};

const list = commands("versions", place, async ({ scope, name }, model, real) => {
  const secret = find(model, scope, name);
  const { status, body } = await real.call(`GET /v1/secrets/${idOf(model, scope, name)}/versions?limit=200`);
  if (!secret) return void expect([status, body.code]).toEqual([404, "secret-not-found"]);
  const listed = body.versions.map(({ version, state }: { version: number; state: string }) => [version, state]);
  expect(listed).toEqual(secret.values.map((_, n) => [n + 1, stateOf(secret, n)]).toReversed());
});

export const versionCommands: fc.Arbitrary<Command>[] = [rollback, rollback, destroy, list, list];
