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

/** The issuers whose identity tokens are exchanged for Keyhole's. */
export function Trusts({ address: { query } }: PageProps) {
  const may = useMay("trusts:write");
  const cursor = query.get("cursor") || undefined;
  const list = useLoad((signal) => client.trusts.list({ limit: 100, ...(cursor !== undefined && { cursor }) }, { signal }), [cursor], may);
  return (
    <Page
      title="Trusts"
      about="Pipelines and clusters exchange their own identity tokens for a token of Keyhole's, so that nothing is stored with them."
      actions={
        may && (
          <a class="button primary" href={hrefOf("/new/trust")}>
            New trust
          </a>
        )
      }
    >
      <Lacks of={{ "trusts:write": "you can neither see nor make trusts" }} />
      <Loaded of={list} what="Trusts">
        {({ trusts, next_cursor }) => (
          <>
            <Table
              caption="Trusts"
              rows={trusts}
              keyOf={({ name }) => name}
              empty="No issuer is trusted."
              columns={[
                { title: "Name", cell: ({ name }) => <a href={hrefOf(`/trusts/${encodeURIComponent(name)}`)}>{name}</a> },
                { title: "Issuer", kind: "name", cell: ({ issuer }) => issuer },
                { title: "Claims", cell: ({ claims }) => <Claims of={claims} /> },
                { title: "Gives", cell: (trust) => <Grant permissions={trust.permissions} limits={trust} /> },
                { title: "State", cell: (trust) => <InForce of={trust} /> },
              ]}
            />
            <Pager path="/trusts" query={query} next={next_cursor} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
