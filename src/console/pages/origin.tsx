import { useState } from "preact/hooks";
import type { Explanation } from "../../client/create-client.ts";
import { goTo, hrefOf } from "../address.ts";
import { findOrigins, type Progress } from "../find-origins.ts";
import { linesOf } from "../form-data.ts";
import { judgeOrigin } from "../judge-origin.ts";
import type { PageProps } from "../page-props.ts";
import { Chain } from "../parts/chain.tsx";
import { TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { ScopeSuggestions } from "../parts/scope-suggestions.tsx";
import { Table } from "../parts/table.tsx";
import { useSession } from "../session.ts";
import { useLoad } from "../use-load.ts";

/** For a scope, everything that a resolve would give, and where each comes from. No value is asked for. */
export function Origin({ address: { query } }: PageProps) {
  const scopes = query.getAll("scope");
  const names = query.getAll("name");
  return (
    <Page
      title="Where does it come from"
      about="What a resolve would give for a scope, name by name. No value is read for this, and nothing is on record as resolved."
    >
      <Lacks of={{ "secrets:read": "you cannot see where secrets come from" }} />
      <form
        class="filters few"
        key={query.toString()}
        onSubmit={(event) => {
          event.preventDefault();
          const data = new FormData(event.currentTarget);
          const search = new URLSearchParams();
          for (const scope of linesOf(data, "scope") ?? []) search.append("scope", scope);
          for (const name of linesOf(data, "name") ?? []) search.append("name", name);
          goTo(`${hrefOf("/origin")}?${search}`);
        }}
      >
        <TextField label="Scope, or several with commas" name="scope" list="scopes" required value={scopes.join(", ")} placeholder="repo:acme/web" />
        <TextField label="Also these names" name="name" value={names.join(", ")} placeholder="of builtin, say" />
        <div class="actions">
          <button type="submit" class="primary">
            Show
          </button>
        </div>
        <ScopeSuggestions id="scopes" />
      </form>
      {scopes.length > 0 && <Result scopes={scopes} names={names} />}
    </Page>
  );
}

function Result({ scopes, names }: { scopes: readonly string[]; names: readonly string[] }) {
  const session = useSession();
  const [progress, setProgress] = useState<Progress>();
  const origins = useLoad((signal) => findOrigins(scopes, names, session, setProgress, signal), [scopes.join(), names.join()]);
  return (
    <>
      {origins.loading && progress && (
        <p>
          <label htmlFor="progress">
            {progress.done} of {progress.of} names
          </label>
          <progress id="progress" value={progress.done} max={Math.max(progress.of, 1)} />
        </p>
      )}
      <Loaded of={origins} what="Where everything comes from">
        {(origins) => (
          <>
            <Chain origins={origins} />
            <h2>Name by name</h2>
            <Table
              caption="Where each name comes from"
              rows={origins.explanations}
              keyOf={({ name }) => name}
              empty="These scopes hold nothing that you may see."
              columns={[
                { title: "Name", cell: ({ name }) => <code>{name}</code> },
                { title: "Comes from", kind: "name", cell: (explanation) => <Winner of={explanation} /> },
                { title: "Version", kind: "number", cell: ({ winner }) => winner?.version },
                { title: "Not used", kind: "name", cell: (explanation) => <Others of={explanation} /> },
              ]}
            />
          </>
        )}
      </Loaded>
    </>
  );
}

function Winner({ of: { winner, candidates, locked_by } }: { of: Explanation }) {
  if (locked_by !== undefined) return <span class="badge warn">nothing: locked by {locked_by}, which is not searched</span>;
  if (winner === null) return <span class="quiet">nowhere</span>;
  const { expired, locked } = candidates.find(({ scope }) => scope === winner.scope) ?? {};
  return (
    <>
      {winner.scope === "builtin" ? (
        <code>builtin</code>
      ) : (
        <a class="mono" href={hrefOf(`/secrets/${encodeURIComponent(winner.id)}`)}>
          {winner.scope}
        </a>
      )}{" "}
      <span class="badges">
        {expired && <span class="badge bad">expired: refused, nothing wider takes its place</span>}
        {locked && <span class="badge warn">locked</span>}
      </span>
    </>
  );
}

function Others({ of }: { of: Explanation }) {
  const others = judgeOrigin(of).filter(({ fate }) => fate === "shadowed" || fate === "barred");
  return (
    <span class="badges">
      {others.map(({ scope }) => (
        <code key={scope} class="badge">
          {scope}
        </code>
      ))}
    </span>
  );
}
