import { hrefOf } from "../address.ts";
import { client } from "../client.ts";
import type { PageProps } from "../page-props.ts";
import { Claims } from "../parts/claims.tsx";
import { Grant } from "../parts/grant.tsx";
import { InForce } from "../parts/in-force.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { Pager } from "../parts/pager.tsx";
import { Table } from "../parts/table.tsx";
import { useMay } from "../session.ts";
import { useLoad } from "../use-load.ts";

/** The OpenID providers by which people log in. */
export function Logins({ address: { query } }: PageProps) {
  const may = useMay("trusts:write");
  const cursor = query.get("cursor") || undefined;
  const list = useLoad((signal) => client.logins.list({ limit: 100, ...(cursor !== undefined && { cursor }) }, { signal }), [cursor], may);
  return (
    <Page
      title="Logins"
      about="OpenID providers, such as Google, Okta or Microsoft Entra, by which people log in here and on the command line."
      actions={
        may && (
          <a class="button primary" href={hrefOf("/new/login")}>
            New login
          </a>
        )
      }
    >
      <Lacks of={{ "trusts:write": "you can neither see nor make logins" }} />
      <Loaded of={list} what="Logins">
        {({ logins, next_cursor }) => (
          <>
            <Table
              caption="Logins"
              rows={logins}
              keyOf={({ name }) => name}
              empty="No provider is set up: people log in with a token that they paste."
              columns={[
                { title: "Name", cell: ({ name }) => <a href={hrefOf(`/logins/${encodeURIComponent(name)}`)}>{name}</a> },
                { title: "Provider", kind: "name", cell: ({ issuer }) => issuer },
                { title: "Claims", cell: ({ claims }) => <Claims of={claims} /> },
                { title: "Gives", cell: (login) => <Grant permissions={login.permissions} limits={login} /> },
                { title: "State", cell: (login) => <InForce of={login} /> },
              ]}
            />
            <Pager path="/logins" query={query} next={next_cursor} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
