import { SCOPE_KINDS } from "../../src/contract/scope.ts";
import { envName, type SecretName } from "../../src/contract/secret-name.ts";

const DAY = 86_400_000;
/** How many versions the Worker under test keeps. */
export const MAX_VERSIONS = 3;

/** For how many days what is deleted can come back there. */
export const RECOVERY_DAYS = 2;

/** What can be said of a secret; an absent field stays as it is. Days are counted from the time of the write. */
export interface Fields {
  readonly description?: string | null;
  readonly labels?: Record<string, string>;
  readonly expiresInDays?: number | null;
  readonly rotateAfterDays?: number | null;
  readonly locked?: boolean;
}

/** A secret as the model holds it. `values[n]` is that of version n + 1; `null` is a destroyed one. */
export interface Secret {
  readonly id: string;
  readonly scope: string;
  readonly name: string;
  readonly values: (string | null)[];
  description: string | null;
  labels: Record<string, string>;
  expiresAt: number | null;
  rotateAfterDays: number | null;
  locked: boolean;
  rotatedAt: number;
  resolvedAt: number | null;
  lastResolvedAt: number | null;
}

/** One organization, in memory: what Keyhole promises, without any of how it keeps it. */
export interface Model {
  now: number;
  readonly secrets: Map<string, Secret>;
  /** What was deleted, and until when it can come back. */
  readonly deleted: Map<string, Secret & { readonly until: number }>;
  readonly parents: Map<string, string>;
  readonly builtin: ReadonlyMap<string, string>;
}

export const keyOf = (scope: string, name: string) => `${name} ${scope}`;
export const find = (model: Model, scope: string, name: string) => model.secrets.get(keyOf(scope, name));
export const currentOf = (secret: Secret) => secret.values.at(-1);
export const isExpired = (model: Model, { expiresAt }: Secret) => expiresAt !== null && expiresAt <= model.now;
export const isDue = (model: Model, { rotateAfterDays, rotatedAt }: Secret) => rotateAfterDays !== null && rotatedAt + rotateAfterDays * DAY <= model.now;
export const expiryOf = (model: Model, days: number) => new Date(model.now + days * DAY).toISOString();

/** Adds a secret without a value; {@link change} gives it its first. One that was deleted goes on, without its values. */
export function create(model: Model, scope: string, name: string, id: string): Secret {
  const key = keyOf(scope, name);
  const { values = [], resolvedAt = null, lastResolvedAt = null } = model.deleted.get(key) ?? {};
  const nothing = { description: null, labels: {}, expiresAt: null, rotateAfterDays: null, locked: false };
  const secret = { id, scope, name, values: values.map(() => null), rotatedAt: model.now, resolvedAt, lastResolvedAt, ...nothing };
  model.deleted.delete(key);
  model.secrets.set(key, secret);
  return secret;
}

/** Deletes a secret; it can come back for {@link RECOVERY_DAYS}. */
export function remove(model: Model, secret: Secret): void {
  const key = keyOf(secret.scope, secret.name);
  model.secrets.delete(key);
  model.deleted.set(key, { ...secret, until: model.now + RECOVERY_DAYS * DAY });
}

/** Changes a secret; returns whether that made a difference. */
export function change(model: Model, secret: Secret, value: string | undefined, fields: Fields): boolean {
  const before = JSON.stringify(secret);
  if (value !== undefined && value !== currentOf(secret)) {
    secret.values.push(value);
    secret.rotatedAt = model.now;
    for (let n = 0; n < secret.values.length - MAX_VERSIONS; n++) secret.values[n] = null;
  }
  const { description, labels, expiresInDays, rotateAfterDays, locked } = fields;
  if (description !== undefined) secret.description = description;
  if (labels !== undefined) secret.labels = labels;
  if (expiresInDays !== undefined) secret.expiresAt = expiresInDays === null ? null : model.now + expiresInDays * DAY;
  if (rotateAfterDays !== undefined) secret.rotateAfterDays = rotateAfterDays;
  if (locked !== undefined) secret.locked = locked;
  return JSON.stringify(secret) !== before;
}

/** What replies say of a secret. */
export function view(model: Model, secret: Secret) {
  const time = (at: number | null) => at && new Date(at).toISOString();
  return {
    id: secret.id,
    scope: secret.scope,
    name: secret.name,
    version: secret.values.length,
    description: secret.description,
    labels: secret.labels,
    expires_at: time(secret.expiresAt),
    rotate_after_days: secret.rotateAfterDays,
    rotation_due: isDue(model, secret),
    locked: secret.locked,
    last_resolved_at: time(secret.lastResolvedAt),
  };
}

const rank = (scope: string) => (SCOPE_KINDS as readonly string[]).indexOf(scope.split(":")[0] ?? "");
export const kindOf = (scope: string) => SCOPE_KINDS[rank(scope)];

/** Every scope above `scope`, nearest first. */
function parentsOf(model: Model, scope: string): string[] {
  const parent = model.parents.get(scope);
  return parent === undefined ? [] : [parent, ...parentsOf(model, parent)];
}

/** Whether `parent` may be put above `scope`, and if not, how that is refused. */
export function linkStatus(model: Model, scope: string, parent: string): number {
  if (scope === parent) return 422;
  if (scope === "global" || rank(parent) < rank(scope)) return 400;
  if ([parent, ...parentsOf(model, parent)].includes(scope)) return 422;
  const depthBelow = (above: string): number => Math.max(0, ...[...model.parents].filter(([, p]) => p === above).map(([s]) => 1 + depthBelow(s)));
  return depthBelow(scope) + 1 + parentsOf(model, parent).length > 8 ? 422 : 200;
}

/** The scopes that a resolve searches, in order. */
export function searchOf(model: Model, scopes: readonly string[], inherit: boolean): string[] {
  const distances = new Map<string, number>();
  const reach = (scope: string, distance: number) => distances.set(scope, Math.min(distance, distances.get(scope) ?? distance));
  for (const scope of inherit ? [...scopes, "global"] : scopes) {
    reach(scope, 0);
    if (inherit) for (const [n, parent] of parentsOf(model, scope).entries()) reach(parent, n + 1);
  }
  const order = [...distances].sort(([a, x], [b, y]) => rank(a) - rank(b) || x - y || (a < b ? -1 : 1)).map(([scope]) => scope);
  return inherit ? [...order, "builtin"] : order;
}

/** Whether a scope above has locked a name, so that it cannot be set. */
export const isLockedAbove = (model: Model, scope: string, name: string) =>
  searchOf(model, [scope], true).some((above) => above !== scope && find(model, above, name)?.locked === true);

/** Whether a scope holds a secret that becomes the same variable, so that this one cannot be created. */
export const sharesVariable = (model: Model, scope: string, name: string) =>
  !find(model, scope, name) && [...model.secrets.values()].some((other) => other.scope === scope && variableOf(other.name) === variableOf(name));

const variableOf = (name: string) => envName(name as SecretName);

/** Scopes that are declared or in use, with their parents and numbers of secrets. */
export function scopesOf(model: Model): { scope: string; parent: string | null; secrets: number; store: null; prefix: null }[] {
  const counts = Map.groupBy(model.secrets.values(), ({ scope }) => scope);
  return [...new Set([...counts.keys(), ...model.parents.keys()])]
    .sort()
    .map((scope) => ({ scope, parent: model.parents.get(scope) ?? null, secrets: counts.get(scope)?.length ?? 0, store: null, prefix: null }));
}
