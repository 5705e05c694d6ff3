import fc from "fast-check";
import { expect } from "vitest";
import { type Command, commands, names, scopes } from "./command.ts";
import { currentOf, find, isExpired, kindOf, type Model, type Secret, searchOf } from "./model.ts";
import type { Reply } from "./real.ts";

const given = fc.uniqueArray(scopes, { selector: kindOf, minLength: 1, maxLength: 3 });
const request = fc.record(
  { scopes: given, names: fc.uniqueArray(names, { minLength: 1, maxLength: 3 }), allow_missing: fc.boolean(), inherit: fc.boolean() },
  { requiredKeys: [] },
);
type Request = { scopes?: string[]; names?: string[]; allow_missing?: boolean; inherit?: boolean };

/** What holds a name in a scope: a secret, or a built-in value. */
const held = (model: Model, label: string, name: string): Secret | string | undefined =>
  label === "builtin" ? model.builtin.get(name) : find(model, label, name);

const isLock = (secret: Secret | string | undefined) => typeof secret === "object" && secret.locked;

/** What a resolve comes to: who wins each name, and which of those that were asked for are missing or expired. */
function outcomeOf(model: Model, { scopes = ["global"], names: asked, inherit = true }: Request) {
  const searched = searchOf(model, scopes, inherit);
  const above = searchOf(model, scopes, true);
  const everything = [...[...model.secrets.values()].map(({ name }) => name), ...model.builtin.keys()];
  const winners = new Map<string, { label: string; secret: Secret | string }>();
  for (const name of asked ?? [...new Set(everything)].sort()) {
    const nearest = searched.find((each) => held(model, each, name) !== undefined);
    const lock = above.findLast((each) => isLock(held(model, each, name)));
    const label = nearest === undefined ? undefined : (lock ?? nearest);
    const secret = label === undefined ? undefined : held(model, label, name);
    if (label !== undefined && secret !== undefined) winners.set(name, { label, secret });
  }
  const missing = (asked ?? []).filter((name) => !winners.has(name));
  const locked = [...winners].filter(([, { label }]) => !searched.includes(label)).map(([name]) => name);
  const isOld = (secret: Secret | string) => typeof secret !== "string" && isExpired(model, secret);
  const expired = [...winners].filter(([name, { secret }]) => !locked.includes(name) && isOld(secret)).map(([name]) => name);
  return { searched, above, winners, missing, expired, locked };
}

type Outcome = ReturnType<typeof outcomeOf>;
const released = ({ winners, expired, locked }: Outcome) => [...winners].filter(([name]) => !expired.includes(name) && !locked.includes(name));
const valueFrom = (secret: Secret | string) => (typeof secret === "string" ? secret : currentOf(secret));
const variableOf = (name: string) => name.toUpperCase().replaceAll(".", "_");

/** What becomes variables: of two names that become one, the one that is locked widest, or is found first; also when it has expired. */
function asVariables({ above, winners, ...rest }: Outcome): Outcome {
  const place = (name: string) => above.indexOf(winners.get(name)?.label ?? "");
  const order = (name: string) => (isLock(winners.get(name)?.secret) ? -1 - place(name) : place(name));
  const first = (name: string) =>
    [...winners.keys()].filter((other) => variableOf(other) === variableOf(name)).sort((a, b) => order(a) - order(b) || (a < b ? -1 : 1))[0];
  return { ...rest, above, winners: new Map([...winners].filter(([name]) => first(name) === name)) };
}

/** Expects a refusal, if there is to be one. */
function refusal(outcome: Outcome, { status, body }: Reply, strict: boolean, named: boolean): boolean {
  const { missing, expired, locked, searched } = outcome;
  if (strict && missing.length > 0) expect([status, body]).toEqual([404, expect.objectContaining({ code: "secret-not-found", missing, searched })]);
  else if (strict && expired.length > 0) expect([status, body.code, body.expired.sort()]).toEqual([410, "secret-expired", [...expired].sort()]);
  else if (named && locked.length > 0) expect([status, body.code, body.locked?.sort()]).toEqual([422, "name-locked", [...locked].sort()]);
  else return false;
  return true;
}

function noteResolved(model: Model, outcome: Outcome): void {
  for (const [, { secret }] of released(outcome)) if (typeof secret !== "string") secret.resolvedAt = model.now;
}

const resolve = commands("resolve", fc.record({ request, env: fc.boolean() }), async ({ request, env }, model, real) => {
  const found = outcomeOf(model, request as Request);
  const outcome = env ? asVariables(found) : found;
  const path = `POST /v1/resolve?format=${env ? "env" : "json"}`;
  const reply = await real.call(path, request);
  const named = request.names !== undefined;
  if (refusal(found, reply, named && !request.allow_missing, named)) return;
  expect(reply.status).toBe(200);
  noteResolved(model, outcome);
  const values = released(outcome).map(([name, { label, secret }]) => {
    const place = typeof secret === "string" ? {} : { id: secret.id, version: secret.values.length };
    return [name, expect.objectContaining({ value: valueFrom(secret), scope: label, ...place })];
  });
  const missing = (request.names ?? []).filter((name) => outcome.missing.includes(name) || outcome.expired.includes(name));
  const expired = request.names === undefined && outcome.expired.length > 0 ? { expired: outcome.expired } : {};
  const unavailable = outcome.locked.length > 0 ? { unavailable: outcome.locked.map((name) => ({ name, reason: "name-locked" })) } : {};
  if (env) expect(reply.body).toEqual(Object.fromEntries(released(outcome).map(([name, { secret }]) => [variableOf(name), valueFrom(secret)])));
  else expect(reply.body).toEqual({ secrets: Object.fromEntries(values), missing, ...expired, ...unavailable, searched: outcome.searched });
  expect((await real.call(path, request, { "If-None-Match": reply.etag })).status).toBe(304);
});

const query = (list: readonly string[]) => list.map((scope) => `scope=${encodeURIComponent(scope)}`).join("&");

const resolveOne = commands("resolve one", fc.record({ name: names, scopes: given }), async ({ name, scopes }, model, real) => {
  const outcome = outcomeOf(model, { names: [name], scopes });
  const reply = await real.call(`GET /v1/resolve/${name}?${query(scopes)}`);
  if (refusal(outcome, reply, true, true)) return;
  noteResolved(model, outcome);
  const winner = outcome.winners.get(name);
  expect([reply.status, reply.body]).toEqual([200, expect.objectContaining({ name, value: winner && valueFrom(winner.secret), scope: winner?.label })]);
});

const explain = commands("explain", fc.record({ name: names, scopes: given }), async ({ name, scopes }, model, real) => {
  const { body } = await real.call(`GET /v1/explain/${name}?${query(scopes)}`);
  const { searched, winners } = outcomeOf(model, { names: [name], scopes });
  const candidates = searched.map((scope) => {
    const secret = held(model, scope, name);
    if (secret === undefined) return { scope, found: false };
    return expect.objectContaining({ scope, found: true, expired: typeof secret !== "string" && isExpired(model, secret) });
  });
  expect(body.candidates).toEqual(candidates);
  expect(body.winner?.scope).toBe(winners.get(name)?.label);
});

export const resolveCommands: fc.Arbitrary<Command>[] = [resolve, resolve, resolve, resolveOne, explain];
