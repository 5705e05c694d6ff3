import type { WebhookDelivery } from "../../client/create-client.ts";
import { client } from "../client.ts";
import { useLoad } from "../use-load.ts";
import { Loaded } from "./loaded.tsx";
import { Table } from "./table.tsx";
import { Time } from "./time.tsx";

const BADGES: Readonly<Record<WebhookDelivery["state"], string>> = { waiting: "badge warn", delivered: "badge good", "given-up": "badge bad" };

/** The last messages of a webhook, and what became of each. */
export function Deliveries({ name }: { name: string }) {
  const list = useLoad((signal) => client.webhooks.deliveries(name, { signal }), [name]);
  return (
    <>
      <h2>Last messages</h2>
      <Loaded of={list} what="Messages">
        {({ deliveries }) => (
          <Table
            caption="Last messages"
            rows={deliveries}
            keyOf={({ id }) => id}
            empty="It has not been told anything yet."
            columns={[
              { title: "Event", cell: ({ event }) => <code>{event}</code> },
              { title: "State", cell: ({ state }) => <span class={BADGES[state]}>{state}</span> },
              { title: "Attempts", kind: "number", cell: ({ attempts }) => attempts },
              { title: "Answered", cell: ({ status }) => status ?? <span class="quiet">not yet</span> },
              { title: "Made", cell: ({ created_at }) => <Time at={created_at} /> },
              { title: "Next or done", cell: ({ next_at, done_at }) => (next_at ?? done_at) && <Time at={next_at ?? done_at ?? ""} /> },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}
