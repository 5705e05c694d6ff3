import { useState } from "preact/hooks";
import type { StoreBody } from "../../client/create-client.ts";
import type { StoreCheck } from "../../contract/store-check.ts";
import { hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { storeDefinition } from "../definition-of.ts";
import { textOf } from "../form-data.ts";
import type { PageProps } from "../page-props.ts";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { Failure } from "../parts/failure.tsx";
import { TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { Pager } from "../parts/pager.tsx";
import { Time } from "../parts/time.tsx";
import { useMay } from "../session.ts";
import { STORE_KINDS } from "../store-kinds.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";
import { useTask } from "../use-task.ts";

/** The places outside where values live, each with a check of whether it works. */
export function Stores({ address: { query } }: PageProps) {
  const may = useMay("stores:write");
  const cursor = query.get("cursor") || undefined;
  const list = useLoad((signal) => client.stores.list({ limit: 50, ...(cursor !== undefined && { cursor }) }, { signal }), [cursor], may);
  return (
    <Page
      title="Stores"
      about="Places outside where values live: AWS Secrets Manager, Azure Key Vault, Vault."
      actions={
        may && (
          <a class="button primary" href={hrefOf("/new/store")}>
            New store
          </a>
        )
      }
    >
      <Lacks of={{ "stores:write": "you can neither see nor declare nor check stores" }} />
      <Loaded of={list} what="Stores">
        {({ stores, next_cursor }) => (
          <>
            {stores.length === 0 && <p class="empty">No store is declared.</p>}
            <ul class="cards">
              {stores.map((store) => (
                <li key={store.name} class="card">
                  <Store store={store} onChange={list.reload} />
                </li>
              ))}
            </ul>
            <Pager path="/stores" query={query} next={next_cursor} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Store({ store, onChange }: { store: StoreBody; onChange: () => void }) {
  const { name, kind, allow, identity, refresh_seconds, stale_seconds, updated_at, updated_by } = store;
  const may = useMay("stores:write");
  const remove = async () => {
    await client.stores.delete(name);
    tell(`The store ${name} is deleted.`, async () => {
      await client.stores.put(name, storeDefinition(store));
      onChange();
    });
    onChange();
  };
  return (
    <>
      <h2>{name}</h2>
      <dl class="facts">
        <dt>Kind</dt>
        <dd>{STORE_KINDS[kind].title}</dd>
        <dt>Where</dt>
        <dd>{store.address ?? store.vault_url ?? store.endpoint ?? store.region}</dd>
        <dt>Asks as</dt>
        <dd>{identity ? identity.subject : "with credentials that are secrets"}</dd>
        <dt>Read anew</dt>
        <dd>
          after {refresh_seconds} seconds
          {stale_seconds > 0 && `, ${stale_seconds} more while it does not answer`}
        </dd>
        <dt>Allows</dt>
        <dd>
          {allow.length === 0 && <span class="quiet">nothing</span>}
          {allow.map(({ scopes, keys }) => (
            <div key={`${scopes} ${keys}`}>
              <code>{scopes.join(", ")}</code> may have <code>{keys.join(", ")}</code>
            </div>
          ))}
        </dd>
        <dt>Changed</dt>
        <dd>
          <Time at={updated_at} /> by {updated_by}
        </dd>
      </dl>
      <Check name={name} />
      <div class="actions">
        <a class="button" href={hrefOf(`/stores/${encodeURIComponent(name)}`)} aria-label={`Change the store ${name}`}>
          Change
        </a>
        <ConfirmButton label="Delete" name={`Delete the store ${name}`} question={`Delete the store ${name}?`} confirm="Delete" disabled={!may} act={remove}>
          <p>Secrets that have their values from it cannot be resolved any more. What is in the store stays.</p>
        </ConfirmButton>
      </div>
    </>
  );
}

function Check({ name }: { name: string }) {
  const may = useMay("stores:write");
  const [result, setResult] = useState<StoreCheck>();
  const checking = useTask(async (form: HTMLFormElement) => {
    setResult(undefined);
    setResult(await client.stores.check(name, textOf(new FormData(form), `key-${name}`)));
  });
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        checking.run(event.currentTarget);
      }}
    >
      <TextField label="Key to read, and not show" name={`key-${name}`} hint="Empty: it is tried to list keys." />
      <div class="actions">
        <button type="submit" disabled={!may || checking.running} aria-label={`Check ${name}`}>
          {checking.running ? "Checking …" : "Check"}
        </button>
      </div>
      <Failure error={checking.error} what="The check" />
      {result && (
        <div class={result.ok ? "note good" : "note bad"} role="status">
          <p>
            <strong>{result.ok ? "It works." : `It fails: ${result.fails}.`}</strong> {result.detail}
          </p>
        </div>
      )}
    </form>
  );
}
