import type { ListSecretsQuery, SecretBody } from "../../client/create-client.ts";
import { SCOPE_KINDS } from "../../contract/scope-kinds.ts";
import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { textOf } from "../form-data.ts";
import type { PageProps } from "../page-props.ts";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { ChoiceField, TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { Pager } from "../parts/pager.tsx";
import { ScopeSuggestions } from "../parts/scope-suggestions.tsx";
import { SecretBadges } from "../parts/secret-badges.tsx";
import { type Column, Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";

const SHOWN = { "": "All", rotation: "Due for rotation", expiry: "Expired", lost: "Value lost", deleted: "Deleted" } as const;
const FILTERS = ["prefix", "scope", "kind", "label", "show"] as const;

/** The query of the API for the address of the page. */
function queryOf(query: URLSearchParams): ListSecretsQuery {
  const given = (name: string) => query.get(name) || undefined;
  const show = given("show");
  return {
    ...{ prefix: given("prefix"), scope: given("scope"), label: given("label"), cursor: given("cursor") },
    kind: given("kind") as ListSecretsQuery["kind"],
    due: show === "rotation" || show === "expiry" ? show : undefined,
    state: show === "lost" ? show : undefined,
    deleted: show === "deleted" ? "true" : undefined,
    limit: 50,
  };
}

/** The secrets that the session may see, with filters. */
export function Secrets({ address: { query } }: PageProps) {
  const may = useMay("secrets:write");
  const deleted = query.get("show") === "deleted";
  const list = useLoad((signal) => client.secrets.list(queryOf(query), { signal }), [query.toString()], useMay("secrets:read"));
  return (
    <Page
      title="Secrets"
      actions={
        may && (
          <a class="button primary" href={hrefOf("/new/secret", { scope: query.get("scope") ?? undefined })}>
            New secret
          </a>
        )
      }
    >
      <Lacks of={{ "secrets:read": "you cannot list secrets", "secrets:write": "you can look, and not set, change or delete" }} />
      <Filters key={query.toString()} query={query} />
      <Loaded of={list} what="Secrets">
        {({ secrets, next_cursor }) => (
          <>
            <Table
              caption="Secrets"
              rows={secrets}
              keyOf={({ id }) => id}
              empty={<Nothing filtered={FILTERS.some((name) => query.has(name))} may={may} />}
              columns={deleted ? [...COLUMNS, undeletion(may, list.reload)] : COLUMNS}
            />
            <Pager path="/secrets" query={query} next={next_cursor} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

const COLUMNS: readonly Column<SecretBody>[] = [
  {
    title: "Name",
    cell: ({ id, name, deleted_at }) => (deleted_at === null ? <a href={hrefOf(`/secrets/${encodeURIComponent(id)}`)}>{name}</a> : name),
  },
  {
    title: "Scope",
    kind: "name",
    cell: ({ scope }) => (
      <a class="mono" href={hrefOf("/secrets", { scope })}>
        {scope}
      </a>
    ),
  },
  { title: "Version", kind: "number", cell: ({ version }) => version },
  { title: "State", cell: (secret) => <SecretBadges secret={secret} /> },
  { title: "Last resolved", cell: ({ last_resolved_at }) => <Time at={last_resolved_at} /> },
  {
    title: "Changed",
    kind: "name",
    cell: ({ updated_at, updated_by }) => (
      <>
        <Time at={updated_at} /> <span class="quiet">by {updated_by}</span>
      </>
    ),
  },
];

function undeletion(may: boolean, reload: () => void): Column<SecretBody> {
  const undelete = async ({ id, name }: SecretBody) => {
    await client.secrets.undelete(id);
    tell(`${name} is back with all its versions.`);
    reload();
  };
  const purge = async ({ id, name }: SecretBody) => {
    await client.secrets.deleteById(id, { purge: true });
    tell(`${name} is gone for good.`);
    reload();
  };
  return {
    title: "Actions",
    kind: "actions",
    cell: (secret) => (
      <>
        <ConfirmButton
          harmless
          label="Undelete"
          name={`Undelete ${secret.name} in ${secret.scope}`}
          question={`Bring ${secret.name} back?`}
          confirm="Undelete"
          disabled={!may}
          act={() => undelete(secret)}
        >
          <p>It comes back to {secret.scope} with all its versions and its metadata, and is resolved again from then on.</p>
        </ConfirmButton>
        <ConfirmButton
          label="Purge"
          name={`Purge ${secret.name} in ${secret.scope}`}
          question={`Purge ${secret.name} for good?`}
          confirm="Purge for good"
          disabled={!may}
          act={() => purge(secret)}
        >
          <p>All its versions are destroyed. Nothing brings them back.</p>
        </ConfirmButton>
      </>
    ),
  };
}

function Nothing({ filtered, may }: { filtered: boolean; may: boolean }) {
  if (filtered)
    return (
      <>
        No secret fits these filters. <a href={hrefOf("/secrets")}>Show all</a>
      </>
    );
  return (
    <>
      There are no secrets that you may see.{" "}
      {may && (
        <>
          <a href={hrefOf("/new/secret")}>Set the first</a>, or <a href={hrefOf("/import")}>import a .env file</a>.
        </>
      )}
    </>
  );
}

function Filters({ query }: { query: URLSearchParams }) {
  const given = (name: string) => query.get(name) ?? "";
  const apply = (form: HTMLFormElement) => {
    const data = new FormData(form);
    goTo(hrefOf("/secrets", Object.fromEntries(FILTERS.map((name) => [name, textOf(data, name)]))));
  };
  const kinds = Object.fromEntries([["", "All"], ...SCOPE_KINDS.map((kind) => [kind, kind])]);
  return (
    <search>
      <form
        class="filters"
        aria-label="Filter the secrets"
        onSubmit={(event) => {
          event.preventDefault();
          apply(event.currentTarget);
        }}
      >
        <TextField label="Name begins with" name="prefix" type="search" value={given("prefix")} />
        <TextField label="Scope" name="scope" list="scopes" value={given("scope")} />
        <ChoiceField label="Kind of scope" name="kind" value={given("kind")} choices={kinds} />
        <TextField label="Label (key:value)" name="label" value={given("label")} />
        <ChoiceField label="Show" name="show" value={given("show")} choices={SHOWN} />
        <div class="actions">
          <button type="submit">Filter</button>
        </div>
        <ScopeSuggestions id="scopes" />
      </form>
    </search>
  );
}
