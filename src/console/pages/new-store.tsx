import type { StoreBody } from "../../client/create-client.ts";
import type { StoreKind } from "../../contract/store-key.ts";
import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { storeDefinition } from "../definition-of.ts";
import { textOf } from "../form-data.ts";
import type { PageProps } from "../page-props.ts";
import { Failure } from "../parts/failure.tsx";
import { CheckField, LinesField, TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { ScopeSuggestions } from "../parts/scope-suggestions.tsx";
import { useMay } from "../session.ts";
import { allowLines, credentialScope, credentialText, STORE_KINDS, storeOf } from "../store-kinds.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";
import { useTask } from "../use-task.ts";

/** Declares a store. */
export function NewStore({ address: { query } }: PageProps) {
  const chosen = query.get("kind") ?? "";
  const kind = (Object.hasOwn(STORE_KINDS, chosen) ? chosen : "vault") as StoreKind;
  return (
    <Page title="New store">
      <Lacks of={{ "stores:write": "you cannot declare stores" }} />
      <nav class="choices" aria-label="Kinds of stores">
        {Object.entries(STORE_KINDS).map(([each, { title }]) => (
          <a key={each} class="button" href={hrefOf("/new/store", { kind: each })} aria-current={each === kind ? "page" : undefined}>
            {title}
          </a>
        ))}
      </nav>
      <StoreForm key={kind} kind={kind} />
    </Page>
  );
}

/** Changes a store. */
export function StorePage({ id }: PageProps) {
  const may = useMay("stores:write");
  const store = useLoad((signal) => client.stores.get(id, { signal }), [id], may);
  return (
    <Page title={id} about={store.value && STORE_KINDS[store.value.kind].title}>
      <Lacks of={{ "stores:write": "you can neither see nor change stores" }} />
      <Loaded of={store} what="The store">
        {(store) => <StoreForm kind={store.kind} store={store} />}
      </Loaded>
    </Page>
  );
}

function StoreForm({ kind, store }: { kind: StoreKind; store?: StoreBody }) {
  const may = useMay("stores:write");
  const { place, secrets, plain } = STORE_KINDS[kind];
  const putting = useTask(async (form: HTMLFormElement) => {
    const data = new FormData(form);
    const name = store?.name ?? textOf(data, "name") ?? "";
    await client.stores.put(name, storeOf(kind, data));
    tell(store ? `The store ${name} is changed.` : `The store ${name} is declared: check it.`, async () => {
      await (store ? client.stores.put(name, storeDefinition(store)) : client.stores.delete(name));
      goTo(hrefOf("/stores"));
    });
    goTo(hrefOf("/stores"));
  });
  const text = (name: keyof StoreBody) => (store?.[name] === undefined ? "" : String(store[name]));
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        putting.run(event.currentTarget);
      }}
    >
      {!store && <TextField label="Name" name="name" required hint="A store of this name is replaced." />}
      {place.map((field) => (
        <TextField key={field.name} {...field} value={text(field.name as keyof StoreBody)} />
      ))}
      <fieldset>
        <legend>How it asks</legend>
        <TextField
          label="Scope of the secrets that have the credentials"
          name="credential_scope"
          list="scopes"
          hint="Their hosts have to name the store's. Empty: no credential is a secret."
          value={store && credentialScope(store)}
        />
        <ScopeSuggestions id="scopes" />
        {[...secrets.map((field) => ({ ...field, label: `${field.label}: name of the secret` })), ...plain].map((field) => (
          <TextField key={field.name} {...field} value={store && credentialText(store, field.name)} />
        ))}
      </fieldset>
      <LinesField
        label="Allows"
        name="allow"
        value={store && allowLines(store)}
        placeholder="namespace:prod prod/*"
        hint="Which scopes may have which keys: a pattern of each a line, as in namespace:prod prod/*. Empty: nothing."
      />
      <CheckField
        label="Scopes may be put into it"
        name="write"
        value={store !== undefined && store.write !== false}
        hint="What is set in such a scope is written to the store."
      />
      <div class="pair">
        <TextField
          label="Read anew after (seconds)"
          name="refresh_seconds"
          type="number"
          min={0}
          max={3600}
          value={text("refresh_seconds")}
          hint="Empty: 60."
        />
        <TextField
          label="Given while it does not answer (seconds)"
          name="stale_seconds"
          type="number"
          min={0}
          max={604_800}
          value={text("stale_seconds")}
          hint="Empty: 0."
        />
      </div>
      <Failure error={putting.error} what={store ? "Nothing is changed" : "No store is declared"} />
      <div class="actions">
        <button type="submit" class="primary" disabled={!may || putting.running}>
          {store ? "Save" : "Declare the store"}
        </button>
        <a href={hrefOf("/stores")}>Cancel</a>
      </div>
    </form>
  );
}
