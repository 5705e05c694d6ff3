import type { ServiceBody } from "../../client/create-client.ts";
import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { serviceDefinition } from "../definition-of.ts";
import type { PageProps } from "../page-props.ts";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { EditService } from "../parts/edit-service.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { UsesOf } from "../parts/uses-of.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";

/** A service: where it goes, which secrets it puts in, and what it lets through. */
export function ServicePage({ id }: PageProps) {
  const [may, uses] = [useMay("services:write"), useMay("secrets:use")];
  const sees = may || uses;
  const loading = useLoad((signal) => client.services.get(id, { signal }), [id], sees);
  const remove = async () => {
    await client.services.delete(id);
    const before = loading.value?.origins && serviceDefinition(loading.value);
    tell(
      `The service ${id} is deleted.`,
      before &&
        (async () => {
          await client.services.put(id, before);
          goTo(hrefOf(`/services/${encodeURIComponent(id)}`));
        }),
    );
    goTo(hrefOf("/services"));
  };
  return (
    <Page
      title={id}
      about={
        <>
          Agents reach it at <code>{`${location.origin}/use/${id}/`}</code>
        </>
      }
      actions={
        <ConfirmButton label="Delete" question={`Delete the service ${id}?`} confirm="Delete" disabled={!may} act={remove}>
          <p>Who uses it is refused from the next request on. Its secrets stay.</p>
        </ConfirmButton>
      }
    >
      <Lacks of={sees ? { "services:write": "you see only what the service allows" } : { "secrets:use": "you cannot see services" }} />
      <Loaded of={loading} what="The service">
        {(service) => (
          <>
            <Facts service={service} />
            {may && service.origins && !service.builtin && <EditService key={service.revision} service={service} onChange={loading.reload} />}
            <h2>What is let through</h2>
            <Table
              caption="What is let through"
              rows={service.allow.flatMap(({ methods, paths }) => paths.map((path) => ({ path, methods: methods.join(", ") })))}
              keyOf={({ path, methods }) => `${methods} ${path}`}
              empty="Nothing."
              columns={[
                { title: "Path", cell: ({ path }) => <code>{path}</code> },
                { title: "Methods", cell: ({ methods }) => methods },
              ]}
            />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Facts({ service }: { service: ServiceBody }) {
  const { preset, origins, scopes, inject, audit, max_body_bytes, max_seconds, updated_at, updated_by } = service;
  // Who may only use it is told no more than what it allows.
  if (origins === undefined) return null;
  return (
    <dl class="facts">
      <dt>Preset</dt>
      <dd>{preset ?? <span class="quiet">none</span>}</dd>
      <dt>Goes to</dt>
      <dd>{Object.values(origins).join(", ")}</dd>
      <dt>Secrets from</dt>
      <dd>{scopes?.join(", ")}</dd>
      <dt>Puts in</dt>
      <dd>
        {inject?.map((injection) => (
          <code key={JSON.stringify(injection)}>{Object.values(injection).map(String).join(" ")} </code>
        ))}
      </dd>
      <dt>Uses a minute</dt>
      <dd>
        <UsesOf service={service} />
      </dd>
      <dt>On record</dt>
      <dd>{audit === "each" ? "each use by itself" : "the first use, and then counted"}</dd>
      <dt>Largest body</dt>
      <dd>{max_body_bytes?.toLocaleString("en")} bytes</dd>
      <dt>Longest reply</dt>
      <dd>{max_seconds} seconds</dd>
      {updated_at && (
        <>
          <dt>Changed</dt>
          <dd>
            <Time at={updated_at} /> by {updated_by}
          </dd>
        </>
      )}
    </dl>
  );
}
