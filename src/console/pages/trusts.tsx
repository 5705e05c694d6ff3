import type { TrustBody } from "../../contract/trust.ts";
import { hrefOf } from "../address.ts";
import { client } from "../client.ts";
import type { PageProps } from "../page-props.ts";
import { Grant } from "../parts/grant.tsx";
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
  const list = useLoad((signal) => client.trusts.list({ limit: 100, ...(cursor !== undefined && { cursor }) }, { signal }), [cursor]);
  return (
    <Page
      title="Trusts"
      about="Pipelines and clusters exchange their own identity tokens for a token of Keyhole's, so that nothing is stored with them."
      actions={
        may && (
          <a class="button primary" href={hrefOf("/trusts/new")}>
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
                { title: "Issuer", cell: ({ issuer }) => issuer },
                { title: "Claims", cell: ({ claims }) => <Claims of={claims} /> },
                { title: "Gives", cell: (trust) => <Grant permissions={trust.permissions} limits={trust} /> },
                { title: "State", cell: (trust) => <TrustState trust={trust} /> },
              ]}
            />
            <Pager path="/trusts" query={query} next={next_cursor} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

/** The conditions of a trust. */
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

/** Whether anything is exchanged under a trust. */
export function TrustState({ trust: { suspended } }: { trust: TrustBody }) {
  return suspended ? <span class="badge bad">suspended</span> : <span class="badge good">in force</span>;
}
