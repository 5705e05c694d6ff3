import { presetOf } from "../../contract/service-presets.ts";
import { hrefOf } from "../address.ts";
import { client } from "../client.ts";
import type { PageProps } from "../page-props.ts";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { Pager } from "../parts/pager.tsx";
import { Table } from "../parts/table.tsx";
import { useMay } from "../session.ts";
import { useLoad } from "../use-load.ts";

/** The APIs that are used without holding the credential. */
export function Services({ address: { query } }: PageProps) {
  const [may, uses] = [useMay("services:write"), useMay("secrets:use")];
  const sees = may || uses;
  const cursor = query.get("cursor") || undefined;
  const list = useLoad((signal) => client.services.list({ limit: 100, ...(cursor !== undefined && { cursor }) }, { signal }), [cursor], sees);
  return (
    <Page
      title="Services"
      about="APIs that agents call through Keyhole, which puts the key in and lets through what is allowed."
      actions={
        may && (
          <a class="button primary" href={hrefOf("/new/service")}>
            New service
          </a>
        )
      }
    >
      <Lacks
        of={
          sees
            ? { "services:write": "you see only what services allow, and cannot make any" }
            : { "secrets:use": "you cannot see services", "services:write": "you cannot make any" }
        }
      />
      <Loaded of={list} what="Services">
        {({ services, next_cursor }) => (
          <>
            <Table
              caption="Services"
              rows={services}
              keyOf={({ name }) => name}
              empty="There is no service that you may use."
              columns={[
                { title: "Name", cell: ({ name }) => <a href={hrefOf(`/services/${encodeURIComponent(name)}`)}>{name}</a> },
                { title: "Is", cell: ({ preset, builtin }) => `${preset ? presetOf(preset).about : "its own"}${builtin ? ", of the operator" : ""}` },
                { title: "Goes to", cell: ({ origins }) => Object.values(origins ?? {}).join(", ") },
                { title: "Uses a minute", kind: "number", cell: ({ uses_per_minute }) => uses_per_minute ?? "any" },
                { title: "On record", cell: ({ audit }) => (audit === "each" ? "each use" : audit === "lease" ? "by lease" : "") },
              ]}
            />
            <Pager path="/services" query={query} next={next_cursor} />
          </>
        )}
      </Loaded>
    </Page>
  );
}
