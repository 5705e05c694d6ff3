/** The conditions of a trust or a login. */
export function Claims({ of }: { of: Readonly<Record<string, string>> }) {
  return (
    <span class="badges">
      {Object.entries(of).map(([claim, pattern]) => (
        <code key={claim} class="badge">
          {claim}={pattern}
        </code>
      ))}
    </span>
  );
}
