import fc from "fast-check";
import { expect } from "vitest";
import { type Command, commands, names, pathOf, place, scopes } from "./command.ts";
import { find, isDue, isExpired, kindOf, type Model, type Secret, view } from "./model.ts";
import type { Real } from "./real.ts";

const get = commands("GET", place, async ({ scope, name }, model, real) => {
  const secret = find(model, scope, name);
  const { status, body } = await real.call(`GET ${pathOf(scope, name)}`);
  if (!secret) return void expect([status, body.code]).toEqual([404, "secret-not-found"]);
  expect([status, body]).toEqual([200, expect.objectContaining(view(model, secret))]);
});

const filters = fc.record(
  {
    scope: scopes,
    kind: fc.constantFrom("repo", "namespace", "global"),
    name: names,
    prefix: fc.constantFrom("B", "c", "C_"),
    label: fc.constantFrom("a:1", "a:2", "b:1"),
    due: fc.constantFrom("expiry", "rotation"),
  },
  { requiredKeys: [] },
);

function matches(model: Model, secret: Secret, { scope, kind, name, prefix, label, due }: Partial<Record<string, string>>): boolean {
  const [key = "", value] = label?.split(":") ?? [];
  return (
    (scope === undefined || secret.scope === scope) &&
    (kind === undefined || kindOf(secret.scope) === kind) &&
    (name === undefined || secret.name === name) &&
    (prefix === undefined || secret.name.startsWith(prefix)) &&
    (label === undefined || secret.labels[key] === value) &&
    (due !== "expiry" || isExpired(model, secret)) &&
    (due !== "rotation" || isDue(model, secret))
  );
}

const byPlace = (a: Secret, b: Secret) => (a.name === b.name ? (a.scope < b.scope ? -1 : 1) : a.name < b.name ? -1 : 1);

async function readAll(real: Real, query: string): Promise<object[]> {
  const listed: object[] = [];
  for (let cursor: string | null = ""; cursor !== null; ) {
    const { status, body }: Awaited<ReturnType<Real["call"]>> = await real.call(`GET /v1/secrets?${query}${cursor && `&cursor=${cursor}`}`);
    expect(status).toBe(200);
    listed.push(...body.secrets);
    cursor = body.next_cursor;
  }
  return listed;
}

const list = commands("list", fc.record({ filters: fc.oneof(fc.constant({}), filters), limit: fc.constantFrom(2, 3, 200) }), async (drawn, model, real) => {
  const query = new URLSearchParams({ ...(drawn.filters as Record<string, string>), limit: String(drawn.limit) });
  const expected = [...model.secrets.values()].filter((secret) => matches(model, secret, drawn.filters)).sort(byPlace);
  expect(await readAll(real, query.toString())).toEqual(expected.map((secret) => expect.objectContaining(view(model, secret))));
});

const listDeleted = commands("deleted", fc.constantFrom(2, 200), async (limit, model, real) => {
  const expected = [...model.deleted.values()].filter(({ until }) => until > model.now).sort(byPlace);
  const shown = expected.map((secret) => ({ ...view(model, secret), deleted_until: new Date(secret.until).toISOString() }));
  expect(await readAll(real, `deleted=true&limit=${limit}`)).toEqual(shown.map((secret) => expect.objectContaining(secret)));
});

const MINUTE = 60_000;

const schedule = commands("schedule", fc.constantFrom(1, 7, 30, 1_440, 2_880), async (minutes, model, real) => {
  model.now += minutes * MINUTE;
  await real.schedule();
  for (const secret of [...model.secrets.values(), ...model.deleted.values()]) secret.lastResolvedAt = secret.resolvedAt;
  for (const [key, { until }] of model.deleted) if (until <= model.now) model.deleted.delete(key);
});

const breakKv = commands("KV is down", fc.boolean(), async (down, _, real) => {
  real.setKvDown(down);
});

export const readCommands: fc.Arbitrary<Command>[] = [get, list, list, listDeleted, schedule, schedule, breakKv];
