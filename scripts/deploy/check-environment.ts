/** What of wrangler.toml an environment does not inherit from the top level. */
interface Own {
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly d1_databases?: readonly { readonly binding: string; readonly database_id: string }[];
  readonly kv_namespaces?: readonly { readonly binding: string; readonly id: string }[];
  readonly ratelimits?: readonly { readonly name: string; readonly namespace_id: string }[];
}

/** wrangler.toml, as far as a deployment to an environment depends on it. */
export interface Deployable extends Own {
  readonly env?: Readonly<Record<string, Own>>;
}

/** What the top level has of what is not inherited, and an environment has not. */
export function lackingIn(config: Own, environment: Own): string[] {
  const names = (own: Own) => [
    ...Object.keys(own.vars ?? {}).map((name) => `the var ${name}`),
    ...(own.d1_databases ?? []).map(({ binding }) => `the database ${binding}`),
    ...(own.kv_namespaces ?? []).map(({ binding }) => `the namespace ${binding}`),
    ...(own.ratelimits ?? []).map(({ name }) => `the rate limit ${name}`),
  ];
  const there = new Set(names(environment));
  return names(config).filter((name) => !there.has(name));
}

/** What an environment has together with the top level or another environment: a write to the one would be one to the other. */
export function sharedBy(config: Deployable, name: string): string[] {
  const { env = {}, ...top } = config;
  const others = [["the top level", top] as const, ...Object.entries(env).filter(([other]) => other !== name)];
  const own = idsOf(env[name] ?? {});
  return others.flatMap(([other, theirs]) => {
    const taken = new Map(idsOf(theirs).map(([what, id]) => [id, what]));
    return own.flatMap(([what, id]) => (taken.has(id) ? [`${what} is that of ${other}`] : []));
  });
}

function idsOf({ d1_databases = [], kv_namespaces = [], ratelimits = [] }: Own): [what: string, id: string][] {
  return [
    ...d1_databases.map(({ binding, database_id }): [string, string] => [`the database ${binding}`, `d1 ${database_id}`]),
    ...kv_namespaces.map(({ binding, id }): [string, string] => [`the namespace ${binding}`, `kv ${id}`]),
    ...ratelimits.map(({ name, namespace_id }): [string, string] => [`the rate limit ${name}`, `limit ${namespace_id}`]),
  ];
}
