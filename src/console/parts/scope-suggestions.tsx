import { client } from "../client.ts";
import { useMay } from "../session.ts";
import { useLoad } from "../use-load.ts";

/** The scopes that are there, as suggestions for an input with `list={id}`. */
export function ScopeSuggestions({ id }: { id: string }) {
  const scopes = useLoad((signal) => client.scopes.list({ limit: 200 }, { signal }), [], useMay("secrets:read"));
  const names = new Set(["global", ...(scopes.value?.scopes ?? []).map(({ scope }) => scope)]);
  return (
    <>
      <datalist id={id}>
        {[...names].map((scope) => (
          <option key={scope} value={scope} />
        ))}
      </datalist>
      {scopes.error !== undefined && <small class="hint">The scopes that are there cannot be suggested now.</small>}
    </>
  );
}
