import { hrefOf } from "../address.ts";
import { client } from "../client.ts";
import type { PageProps } from "../page-props.ts";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { Pager } from "../parts/pager.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { useMay } from "../session.ts";
import { useLoad } from "../use-load.ts";

/** The addresses that are told of what happens. */
export function Webhooks({ address: { query } }: PageProps) {
  const may = useMay("webhooks:write");
  const cursor = query.get("cursor") || undefined;
  const list = useLoad((signal) => client.webhooks.list({ limit: 100, ...(cursor !== undefined && { cursor }) }, { signal }), [cursor], may);
  return (
    <Page
      title="Webhooks"
      about="Addresses of yours that are told when a secret is due or expires, or when something is wrong. Messages are signed, and hold no value."
      actions={
        may && (
          <a class="button primary" href={hrefOf("/new/webhook")}>
            New webhook
          </a>
        )
      }
    >
      <Lacks of={{ "webhooks:write": "you can neither see nor make webhooks" }} />
      <Loaded of={list} what="Webhooks">
        {({ webhooks, next_cursor }) => (
          <>
            <Table
              caption="Webhooks"
              rows={webhooks}
              keyOf={({ name }) => name}
              empty="Nobody is told of anything."
              columns={[
                { title: "Name", cell: ({ name }) => <a href={hrefOf(`/webhooks/${encodeURIComponent(name)}`)}>{name}</a> },
                { title: "Address", kind: "name", cell: ({ url }) => url },
                {
                  title: "Is told of",
                  cell: ({ events }) => (
                    <span class="badges">
                      {events.map((event) => (
                        <code key={event} class="badge">
                          {event}
                        </code>
                      ))}
                    </span>
                  ),
                },
                {
                  title: "Changed",
                  cell: ({ updated_at, updated_by }) => (
                    <>
                      <Time at={updated_at} /> <span class="quiet">by {updated_by}</span>
                    </>
                  ),
                },
              ]}
            />
            <Pager path="/webhooks" query={query} next={next_cursor} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
