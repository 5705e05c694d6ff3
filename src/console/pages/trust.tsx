import { useState } from "preact/hooks";
import type { TrustBody, TrustTest } from "../../contract/trust.ts";
import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { trustDefinition } from "../definition-of.ts";
import type { PageProps } from "../page-props.ts";
import { Claims } from "../parts/claims.tsx";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { EditTrust } from "../parts/edit-trust.tsx";
import { Failure } from "../parts/failure.tsx";
import { Field, hintOf } from "../parts/field.tsx";
import { Grant } from "../parts/grant.tsx";
import { InForce } from "../parts/in-force.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { Table } from "../parts/table.tsx";
import { Time } from "../parts/time.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";
import { useTask } from "../use-task.ts";

/** A trust: what it asks and gives, a test of an identity token, and what was refused lately. */
export function TrustPage({ id }: PageProps) {
  const may = useMay("trusts:write");
  const loading = useLoad((signal) => client.trusts.get(id, { signal }), [id], may);
  const remove = async () => {
    await client.trusts.delete(id);
    const before = loading.value && trustDefinition(loading.value);
    tell(
      `The trust ${id} is deleted.`,
      before &&
        (async () => {
          await client.trusts.put(id, before);
          goTo(hrefOf(`/trusts/${encodeURIComponent(id)}`));
        }),
    );
    goTo(hrefOf("/trusts"));
  };
  return (
    <Page
      title={id}
      actions={
        <ConfirmButton label="Delete" question={`Delete the trust ${id}?`} confirm="Delete" disabled={!may} act={remove}>
          <p>Nothing is exchanged under it any more, and the tokens that were exchanged under it end.</p>
        </ConfirmButton>
      }
    >
      <Lacks of={{ "trusts:write": "you can neither see nor change trusts" }} />
      <Loaded of={loading} what="The trust">
        {(trust) => (
          <>
            <Facts trust={trust} />
            {may && <EditTrust key={trust.updated_at} trust={trust} onChange={loading.reload} />}
            <Test name={id} />
            <Refusals name={id} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Facts({ trust }: { trust: TrustBody }) {
  return (
    <dl class="facts">
      <dt>State</dt>
      <dd>
        <InForce of={trust} />
        {trust.suspended && " Who made it was revoked: put it once more, and it is in force again."}
      </dd>
      <dt>Issuer</dt>
      <dd>{trust.issuer}</dd>
      <dt>Keys</dt>
      <dd>{trust.jwks_url ?? (trust.jwks ? `${trust.jwks.keys.length} given here` : "where the issuer says")}</dd>
      <dt>Audience</dt>
      <dd>{trust.audience}</dd>
      <dt>Claims</dt>
      <dd>
        <Claims of={trust.claims} />
      </dd>
      <dt>Gives</dt>
      <dd>
        <Grant permissions={trust.permissions} limits={trust} />
      </dd>
      <dt>For</dt>
      <dd>
        {trust.expires_in} seconds, {trust.reuse === "once" ? "once for each identity token" : "until the identity token expires"}
      </dd>
      <dt>Changed</dt>
      <dd>
        <Time at={trust.updated_at} /> by {trust.updated_by}
      </dd>
    </dl>
  );
}

function Test({ name }: { name: string }) {
  const [result, setResult] = useState<TrustTest>();
  const testing = useTask(async (form: HTMLFormElement) => {
    const token = new FormData(form).get("identity");
    form.reset();
    setResult(undefined);
    setResult(await client.trusts.test(name, String(token ?? "").trim()));
  });
  return (
    <>
      <h2>Test an identity token</h2>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          testing.run(event.currentTarget);
        }}
      >
        <Field label="Identity token" name="identity" hint="It is neither kept nor used up, and cleared here when it is sent.">
          <textarea
            id="identity"
            name="identity"
            rows={2}
            class="masked"
            autoComplete="off"
            spellcheck={false}
            required
            aria-describedby={hintOf("identity")}
          />
        </Field>
        <Failure error={testing.error} what="The test" />
        <div class="actions">
          <button type="submit" disabled={testing.running}>
            Test it
          </button>
        </div>
      </form>
      {result && (
        <div class={result.accepted ? "note good" : "note bad"} role="status">
          <p>
            <strong>{result.accepted ? "An exchange would give a token." : `An exchange would be refused: ${result.refusal ?? "no reason"}.`}</strong>
          </p>
          <ul>
            {result.conditions.map(({ claim, pattern, matched }) => (
              <li key={claim}>
                <code>
                  {claim}={pattern}
                </code>{" "}
                {matched ? "is fulfilled" : "is not fulfilled"}
              </li>
            ))}
            {result.secret_scopes?.map(({ template, scope }) => (
              <li key={template}>
                <code>{template}</code> becomes {scope === null ? "nothing: a claim is missing" : <code>{scope}</code>}
              </li>
            ))}
          </ul>
        </div>
      )}
    </>
  );
}

function Refusals({ name }: { name: string }) {
  const list = useLoad((signal) => client.trusts.refusals(name, { signal }), [name]);
  return (
    <>
      <h2>Refused lately</h2>
      <Loaded of={list} what="Refusals">
        {(refusals) => (
          <Table
            caption="Refused lately"
            rows={refusals}
            keyOf={({ reason, about }) => `${reason} ${about}`}
            empty="Nothing was refused under this trust."
            columns={[
              { title: "Reason", cell: ({ reason }) => reason },
              { title: "About", cell: ({ about }) => about && <code>{about}</code> },
              { title: "Times", kind: "number", cell: ({ count }) => count },
              { title: "Last", cell: ({ last_at }) => <Time at={last_at} /> },
            ]}
          />
        )}
      </Loaded>
    </>
  );
}
