/** What a program would get. */
export function GivenPermissions({ of }: { of: readonly string[] }) {
  if (of.length === 0) return <span class="quiet">none</span>;
  return (
    <span class="badges">
      {of.map((permission) => (
        <code key={permission} class="badge">
          {permission}
        </code>
      ))}
    </span>
  );
}
