interface Limits {
  readonly secret_scopes: readonly string[] | null;
  readonly secret_names: readonly string[] | null;
  readonly services: readonly string[] | null;
}

/** What a grant allows: its permissions, and within which limits. */
export function Grant({ permissions, limits }: { permissions: readonly string[]; limits: Limits }) {
  const patterns = [...(limits.secret_scopes ?? []), ...(limits.secret_names ?? []), ...(limits.services ?? []).map((name) => `service ${name}`)];
  return (
    <span class="badges">
      {permissions.map((permission) => (
        <code key={permission} class="badge">
          {permission}
        </code>
      ))}
      {patterns.map((pattern) => (
        <code key={pattern} class="badge limit">
          {pattern}
        </code>
      ))}
    </span>
  );
}
