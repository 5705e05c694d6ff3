import type { LoginBody } from "../../client/create-client.ts";
import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { loginDefinition } from "../definition-of.ts";
import type { PageProps } from "../page-props.ts";
import { Claims } from "../parts/claims.tsx";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { EditLogin } from "../parts/edit-login.tsx";
import { Grant } from "../parts/grant.tsx";
import { InForce } from "../parts/in-force.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { Time } from "../parts/time.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";

/** A login: by which provider, and what that gives. */
export function LoginPage({ id }: PageProps) {
  const may = useMay("trusts:write");
  const loading = useLoad((signal) => client.logins.get(id, { signal }), [id], may);
  const remove = async () => {
    await client.logins.delete(id);
    const before = loading.value && loginDefinition(loading.value);
    tell(
      `The login ${id} is deleted.`,
      before &&
        (async () => {
          await client.logins.put(id, before);
          goTo(hrefOf(`/logins/${encodeURIComponent(id)}`));
        }),
    );
    goTo(hrefOf("/logins"));
  };
  return (
    <Page
      title={id}
      actions={
        <ConfirmButton label="Delete" question={`Delete the login ${id}?`} confirm="Delete" disabled={!may} act={remove}>
          <p>Nobody logs in by it any more, and who is logged in by it is logged out: you too, if you are.</p>
        </ConfirmButton>
      }
    >
      <Lacks of={{ "trusts:write": "you can neither see nor change logins" }} />
      <Loaded of={loading} what="The login">
        {(login) => (
          <>
            <Facts login={login} />
            {may && <EditLogin key={login.updated_at} login={login} onChange={loading.reload} />}
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Facts({ login }: { login: LoginBody }) {
  const { issuer, client_id, client_secret, scopes, claims, permissions, expires_in, callback, suspended, updated_at, updated_by } = login;
  return (
    <dl class="facts">
      <dt>State</dt>
      <dd>
        <InForce of={login} />
        {suspended && " Who made it was revoked: save it once more, and it is in force again."}
      </dd>
      <dt>Redirect URI</dt>
      <dd>
        <code>{callback}</code>
        <div class="hint small">The provider has to have exactly this one for the client.</div>
      </dd>
      <dt>Provider</dt>
      <dd>{issuer}</dd>
      <dt>Client id</dt>
      <dd>{client_id}</dd>
      <dt>Client's secret</dt>
      <dd>
        {client_secret ? (
          <>
            {client_secret.name} in <code>{client_secret.scope}</code>
          </>
        ) : (
          "none: it proves itself by PKCE alone"
        )}
      </dd>
      <dt>Asks for</dt>
      <dd>{["openid", ...scopes].join(", ")}</dd>
      <dt>Claims</dt>
      <dd>
        <Claims of={claims} />
      </dd>
      <dt>Gives</dt>
      <dd>
        <Grant permissions={permissions} limits={login} />
      </dd>
      <dt>For</dt>
      <dd>{expires_in.toLocaleString("en")} seconds at the most</dd>
      <dt>Changed</dt>
      <dd>
        <Time at={updated_at} /> by {updated_by}
      </dd>
    </dl>
  );
}
