import { hrefOf } from "../address.ts";
import { type Branch, buildTree } from "../build-tree.ts";
import { client } from "../client.ts";
import { textOf } from "../form-data.ts";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { DeleteScopeSecrets } from "../parts/delete-scope-secrets.tsx";
import { Failure } from "../parts/failure.tsx";
import { TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { ScopeSuggestions } from "../parts/scope-suggestions.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";
import { useTask } from "../use-task.ts";

/** The scopes as a tree: a resolve of one searches all above it. */
export function Scopes() {
  const tree = useLoad(async (signal) => buildTree(await Array.fromAsync(client.scopes.listAll({ signal }))), [], useMay("secrets:read"));
  return (
    <Page title="Scopes" about="A resolve of a scope searches those above it, too. What is nearer wins, unless something above is locked.">
      <Lacks of={{ "secrets:read": "you cannot see scopes", "secrets:write": "you can look, and not move or empty scopes" }} />
      <Loaded of={tree} what="Scopes">
        {(branches) =>
          branches.length === 0 ? (
            <p class="empty">
              No scope is in use. <a href={hrefOf("/new/secret")}>Set a secret</a> in one.
            </p>
          ) : (
            <Branches branches={branches} onChange={tree.reload} />
          )
        }
      </Loaded>
      <Put onChange={tree.reload} />
    </Page>
  );
}

function Branches({ branches, onChange }: { branches: readonly Branch[]; onChange: () => void }) {
  return (
    <ul class="tree">
      {branches.map((branch) => (
        <li key={branch.scope}>
          <Leaf branch={branch} onChange={onChange} />
          {branch.children.length > 0 && <Branches branches={branch.children} onChange={onChange} />}
        </li>
      ))}
    </ul>
  );
}

function Leaf({ branch: { scope, parent, secrets }, onChange }: { branch: Branch; onChange: () => void }) {
  const may = useMay("secrets:write");
  const free = async (above: string) => {
    await client.scopes.delete(scope);
    tell(`${scope} lies under ${above} no more.`, async () => {
      await client.scopes.put(scope, above);
      onChange();
    });
    onChange();
  };
  return (
    <div class="leaf">
      <a class="mono" href={hrefOf("/secrets", { scope })}>
        {scope}
      </a>
      <span class="quiet">{secrets === null ? "not in use" : secrets === 1 ? "1 secret" : `${secrets} secrets`}</span>
      <span class="actions">
        <a href={hrefOf("/origin", { scope })} aria-label={`Where from: everything of ${scope}`}>
          Where from
        </a>
        {parent !== null && (
          <ConfirmButton
            harmless
            label="Take out"
            name={`Take out ${scope} from under ${parent}`}
            question={`Take ${scope} out from under ${parent}?`}
            confirm="Take out"
            disabled={!may}
            act={() => free(parent)}
          >
            <p>
              A resolve of {scope} then searches nothing of {parent} any more, unless it names it.
            </p>
          </ConfirmButton>
        )}
        {secrets !== null && secrets > 0 && <DeleteScopeSecrets scope={scope} secrets={secrets} onChange={onChange} />}
      </span>
    </div>
  );
}

function Put({ onChange }: { onChange: () => void }) {
  const may = useMay("secrets:write");
  const putting = useTask(async (form: HTMLFormElement) => {
    const data = new FormData(form);
    const scope = textOf(data, "scope") ?? "";
    const parent = textOf(data, "parent") ?? "";
    const before = (await Array.fromAsync(client.scopes.listAll())).find((one) => one.scope === scope)?.parent ?? null;
    await client.scopes.put(scope, parent);
    form.reset();
    tell(`${scope} lies under ${parent}.`, async () => {
      await (before === null ? client.scopes.delete(scope) : client.scopes.put(scope, before));
      onChange();
    });
    onChange();
  });
  return (
    <>
      <h2>Put a scope under another</h2>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          putting.run(event.currentTarget);
        }}
      >
        <div class="pair">
          <TextField label="Scope" name="scope" list="scopes" required />
          <TextField label="Under" name="parent" list="scopes" required hint="Of the same kind, or a wider one." />
        </div>
        <ScopeSuggestions id="scopes" />
        <Failure error={putting.error} what="Nothing is moved" />
        <div class="actions">
          <button type="submit" disabled={!may || putting.running}>
            Put it there
          </button>
        </div>
      </form>
    </>
  );
}
