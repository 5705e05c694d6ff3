import type { SecretBody } from "../../client/create-client.ts";
import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import type { PageProps } from "../page-props.ts";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { EditForm } from "../parts/edit-form.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { changesOf, MetadataFields, metadataOf } from "../parts/metadata-fields.tsx";
import { Page } from "../parts/page.tsx";
import { SecretBadges } from "../parts/secret-badges.tsx";
import { Time } from "../parts/time.tsx";
import { Versions } from "../parts/versions.tsx";
import { useMay } from "../session.ts";
import { relativeTime } from "../times.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";
import { useTask } from "../use-task.ts";

/** A secret: its metadata, its versions, and what may be done with it. */
export function SecretPage({ id }: PageProps) {
  const secret = useLoad((signal) => client.secrets.getById(id, { signal }), [id], useMay("secrets:read"));
  const may = useMay("secrets:write");
  const at = `/secrets/${encodeURIComponent(id)}`;
  return (
    <Page
      title={secret.value?.name ?? "Secret"}
      about={secret.value && <a href={hrefOf("/secrets", { scope: secret.value.scope })}>{secret.value.scope}</a>}
      actions={
        may &&
        secret.value && (
          <>
            <a class="button primary" href={hrefOf(`${at}/value`)}>
              New value
            </a>
            <a class="button" href={hrefOf(`${at}/value`, { way: "generate" })}>
              Rotate
            </a>
            <Delete secret={secret.value} />
          </>
        )
      }
    >
      <Lacks of={{ "secrets:read": "you cannot see secrets", "secrets:write": "you can look, and not set, change or delete" }} />
      <Loaded of={secret} what="The secret">
        {(secret_) => (
          <>
            <Facts secret={secret_} />
            {may && <Edit key={secret_.updated_at} secret={secret_} onChange={secret.reload} />}
            <p class="actions">
              <a href={hrefOf("/origin", { scope: secret_.scope })}>Where everything in {secret_.scope} comes from</a>
              <a href={hrefOf("/audit", { secret_id: id, action: "secret.resolve" })}>Who had it, and when</a>
              <a href={hrefOf("/audit", { secret_id: id })}>All that happened to it</a>
            </p>
            <h2>Versions</h2>
            <Versions secret={secret_} onChange={secret.reload} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Delete({ secret: { id, name, scope } }: { secret: SecretBody }) {
  const remove = async () => {
    const { deleted_until } = await client.secrets.deleteById(id);
    const until = deleted_until ? ` It can come back until ${relativeTime(deleted_until)}.` : "";
    tell(`${name} is deleted.${until}`, async () => {
      await client.secrets.undelete(id);
      goTo(hrefOf(`/secrets/${encodeURIComponent(id)}`));
    });
    goTo(hrefOf("/secrets"));
  };
  return (
    <ConfirmButton label="Delete" question={`Delete ${name}?`} confirm="Delete" act={remove}>
      <p>Nobody is given it from {scope} any more. It can be undeleted for as long as the deployment keeps deleted secrets.</p>
    </ConfirmButton>
  );
}

function Facts({ secret }: { secret: SecretBody }) {
  const { description, version, encoding, source, hosts, rotate_after_days, expires_at, max_lease_seconds } = secret;
  return (
    <dl class="facts">
      <dt>State</dt>
      <dd>
        <SecretBadges secret={secret} />
      </dd>
      <dt>Description</dt>
      <dd>{description ?? <span class="quiet">none</span>}</dd>
      <dt>Version</dt>
      <dd>
        {version}
        {encoding === "base64" && " (bytes)"}
      </dd>
      {source && (
        <>
          <dt>Value is in</dt>
          <dd>
            {source.store}, key <code>{source.key}</code>
            {source.field && (
              <>
                , field <code>{source.field}</code>
              </>
            )}
            {source.version && (
              <>
                , version <code>{source.version}</code>
              </>
            )}
          </dd>
        </>
      )}
      <dt>Expires</dt>
      <dd>
        <Time at={expires_at} />
      </dd>
      <dt>Rotation</dt>
      <dd>{rotate_after_days === null ? <span class="quiet">no date</span> : `every ${rotate_after_days} days`}</dd>
      <dt>Hosts</dt>
      <dd>{hosts.length > 0 ? hosts.join(", ") : <span class="quiet">none: services may not send it</span>}</dd>
      {max_lease_seconds !== null && (
        <>
          <dt>Longest lease</dt>
          <dd>{max_lease_seconds} seconds</dd>
        </>
      )}
      <dt>Last resolved</dt>
      <dd>
        <Time at={secret.last_resolved_at} />
      </dd>
      <dt>Created</dt>
      <dd>
        <Time at={secret.created_at} /> by {secret.created_by}
      </dd>
      <dt>Changed</dt>
      <dd>
        <Time at={secret.updated_at} /> by {secret.updated_by}
      </dd>
      <dt>Id</dt>
      <dd>
        <code>{secret.id}</code>
      </dd>
    </dl>
  );
}

function Edit({ secret, onChange }: { secret: SecretBody; onChange: () => void }) {
  const saving = useTask(async (form: HTMLFormElement) => {
    const changes = changesOf(secret, metadataOf(new FormData(form)));
    await client.secrets.patch(secret.id, changes);
    const before = Object.fromEntries(Object.keys(changes).map((name) => [name, secret[name as keyof SecretBody]]));
    tell(`The metadata of ${secret.name} is changed.`, async () => {
      await client.secrets.patch(secret.id, before);
      onChange();
    });
    onChange();
  });
  return (
    <EditForm summary="Change the metadata" saving={saving}>
      <MetadataFields secret={secret} />
    </EditForm>
  );
}
