import fc from "fast-check";
import { expect } from "vitest";
import { type Command, commands, condition, conditionHeaders, fails, fields, idOf, names, pathOf, place, scopes, values } from "./command.ts";
import { change, create, currentOf, expiryOf, type Fields, find, isLockedAbove, keyOf, type Model, remove, sharesVariable, view } from "./model.ts";

function fieldsBody(model: Model, { expiresInDays, rotateAfterDays, ...rest }: Fields) {
  return {
    ...rest,
    ...(expiresInDays !== undefined && { expires_at: expiresInDays === null ? null : expiryOf(model, expiresInDays) }),
    ...(rotateAfterDays !== undefined && { rotate_after_days: rotateAfterDays }),
  };
}

/** Whether the time at which it is to expire has passed. */
const hasPassed = ({ expiresInDays }: Fields) => (expiresInDays ?? 1) <= 0;

const put = commands("PUT", fc.record({ place, value: values, fields, condition }), async (drawn, model, real) => {
  const { scope, name } = drawn.place;
  const { value } = drawn;
  const secret = find(model, scope, name);
  const headers = await conditionHeaders(drawn.condition, secret?.id, real);
  const { status, body } = await real.call(`PUT ${pathOf(scope, name)}`, { value, ...fieldsBody(model, drawn.fields) }, headers);
  if (hasPassed(drawn.fields)) return void expect([status, body.code]).toEqual([400, "invalid-request"]);
  if (fails(drawn.condition, secret !== undefined)) return void expect([status, body.code]).toEqual([412, "version-conflict"]);
  if (isLockedAbove(model, scope, name)) return void expect([status, body.code]).toEqual([422, "name-locked"]);
  if (sharesVariable(model, scope, name)) return void expect([status, body.code]).toEqual([409, "env-name-conflict"]);
  expect(status).toBe(secret ? 200 : 201);
  const written = secret ?? create(model, scope, name, body.id);
  const changed = change(model, written, value, drawn.fields);
  expect(body).toMatchObject({ ...view(model, written), changed });
});

const post = commands("POST", fc.record({ place, value: values, fields }), async (drawn, model, real) => {
  const { scope, name } = drawn.place;
  const { value } = drawn;
  const { status, body } = await real.call("POST /v1/secrets", { scope, name, value, ...fieldsBody(model, drawn.fields) });
  if (hasPassed(drawn.fields)) return void expect([status, body.code]).toEqual([400, "invalid-request"]);
  if (find(model, scope, name)) return void expect([status, body.code]).toEqual([409, "secret-exists"]);
  if (isLockedAbove(model, scope, name)) return void expect([status, body.code]).toEqual([422, "name-locked"]);
  if (sharesVariable(model, scope, name)) return void expect([status, body.code]).toEqual([409, "env-name-conflict"]);
  const written = create(model, scope, name, body.id);
  change(model, written, value, drawn.fields);
  expect([status, body]).toEqual([201, expect.objectContaining(view(model, written))]);
});

const patch = commands("PATCH", fc.record({ place, value: fc.option(values), fields, condition }), async (drawn, model, real) => {
  const { scope, name } = drawn.place;
  const { value } = drawn;
  const secret = find(model, scope, name);
  const headers = await conditionHeaders(drawn.condition, secret?.id, real);
  const sent = { ...(value !== null && { value }), ...fieldsBody(model, drawn.fields) };
  const { status, body } = await real.call(`PATCH /v1/secrets/${idOf(model, scope, name)}`, sent, headers);
  if (hasPassed(drawn.fields)) return void expect([status, body.code]).toEqual([400, "invalid-request"]);
  if (!secret) return void expect([status, body.code]).toEqual([404, "secret-not-found"]);
  if (fails(drawn.condition, true)) return void expect([status, body.code]).toEqual([412, "version-conflict"]);
  if (value !== null && isLockedAbove(model, scope, name)) return void expect([status, body.code]).toEqual([422, "name-locked"]);
  const changed = change(model, secret, value ?? undefined, drawn.fields);
  expect([status, body]).toEqual([200, expect.objectContaining({ ...view(model, secret), changed })]);
});

const drop = commands("DELETE", fc.record({ place, byId: fc.boolean(), purge: fc.boolean(), condition }), async (drawn, model, real) => {
  const { scope, name } = drawn.place;
  const { byId, purge } = drawn;
  const live = find(model, scope, name);
  const secret = live ?? (purge ? keptAt(model, scope, name) : undefined);
  // Nothing says the entity tag that a deleted secret has.
  const kind = secret && !live && drawn.condition === "current" ? "none" : drawn.condition;
  const headers = await conditionHeaders(kind, secret?.id, real);
  const { status } = await real.call(`DELETE ${byId ? `/v1/secrets/${secret?.id ?? "sec_nobody"}` : pathOf(scope, name)}?purge=${purge}`, undefined, headers);
  if (!secret) return void expect(status).toBe(404);
  if (fails(kind, true)) return void expect(status).toBe(412);
  expect(status).toBe(204);
  if (!purge) return remove(model, secret);
  model.secrets.delete(keyOf(scope, name));
  model.deleted.delete(keyOf(scope, name));
});

const undelete = commands("undelete", place, async ({ scope, name }, model, real) => {
  const secret = find(model, scope, name);
  const kept = keptAt(model, scope, name);
  const { status, body } = await real.call(`POST /v1/secrets/${secret?.id ?? kept?.id ?? "sec_nobody"}/undelete`);
  if (secret) return void expect([status, body]).toEqual([200, expect.objectContaining({ ...view(model, secret), changed: false })]);
  if (!kept || kept.until <= model.now) return void expect([status, body.code]).toEqual([404, "secret-not-found"]);
  if (isLockedAbove(model, scope, name)) return void expect([status, body.code]).toEqual([422, "name-locked"]);
  if (sharesVariable(model, scope, name)) return void expect([status, body.code]).toEqual([409, "env-name-conflict"]);
  model.deleted.delete(keyOf(scope, name));
  model.secrets.set(keyOf(scope, name), kept);
  expect([status, body]).toEqual([200, expect.objectContaining({ ...view(model, kept), changed: true, deleted_at: null })]);
});

/** A deleted secret, as long as there is a row of it. */
const keptAt = (model: Model, scope: string, name: string) => model.deleted.get(keyOf(scope, name));

const imported = fc.dictionary(fc.oneof({ weight: 20, arbitrary: names }, fc.constantFrom("1X", "PATH")), values, { maxKeys: 4, noNullPrototype: true });

const importAll = commands("import", fc.record({ scope: scopes, secrets: imported, dryRun: fc.boolean() }), async ({ scope, secrets, dryRun }, model, real) => {
  const { status, body } = await real.call(`POST /v1/import?dry_run=${dryRun}`, { scope, secrets });
  if (Object.keys(secrets).length === 0) return void expect([status, body.code]).toEqual([400, "invalid-request"]);
  if ("1X" in secrets) return void expect([status, body.code]).toEqual([400, "invalid-request"]);
  if ("PATH" in secrets) return void expect([status, body.code]).toEqual([422, "name-reserved"]);
  const isNew = (name: string) => !find(model, scope, name);
  // What is wrong with the import by itself comes first.
  if ("c.d" in secrets && "C_D" in secrets && isNew("c.d") && isNew("C_D")) return void expect([status, body.code]).toEqual([409, "env-name-conflict"]);
  const locked = Object.keys(secrets).filter((name) => isLockedAbove(model, scope, name));
  if (locked.length > 0) return void expect([status, body.code, body.locked?.sort()]).toEqual([422, "name-locked", locked.sort()]);
  if (Object.keys(secrets).some((name) => sharesVariable(model, scope, name))) return void expect([status, body.code]).toEqual([409, "env-name-conflict"]);
  const outcomeOf = (name: string) => {
    const secret = find(model, scope, name);
    if (!secret) return "created";
    return currentOf(secret) === secrets[name] ? "unchanged" : "updated";
  };
  const of = (outcome: string) => Object.keys(secrets).filter((name) => outcomeOf(name) === outcome);
  expect([status, body]).toEqual([200, { created: of("created"), updated: of("updated"), unchanged: of("unchanged") }]);
  if (dryRun) return;
  for (const [name, value] of Object.entries(secrets)) {
    const secret = find(model, scope, name);
    const id = secret?.id ?? (await real.call(`GET ${pathOf(scope, name)}`)).body.id;
    change(model, secret ?? create(model, scope, name, id), value, {});
  }
});

export const writeCommands: fc.Arbitrary<Command>[] = [put, put, put, put, post, patch, patch, patch, drop, drop, undelete, undelete, importAll, importAll];
