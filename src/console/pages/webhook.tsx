import { useState } from "preact/hooks";
import type { MadeWebhook, WebhookBody, WebhookTest } from "../../client/create-client.ts";
import { goTo, hrefOf } from "../address.ts";
import { client } from "../client.ts";
import type { PageProps } from "../page-props.ts";
import { ConfirmButton } from "../parts/confirm-button.tsx";
import { Deliveries } from "../parts/deliveries.tsx";
import { EditForm } from "../parts/edit-form.tsx";
import { Failure } from "../parts/failure.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Page } from "../parts/page.tsx";
import { Time } from "../parts/time.tsx";
import { WebhookFields, webhookOf } from "../parts/webhook-fields.tsx";
import { WebhookSecret } from "../parts/webhook-secret.tsx";
import { useMay } from "../session.ts";
import { tell } from "../toasts.ts";
import { useLoad } from "../use-load.ts";
import { useTask } from "../use-task.ts";
import { EVENT_TITLES } from "../webhook-events.ts";

/** A webhook: where it goes, of what it is told, whether it answers, and its last messages. */
export function WebhookPage({ id }: PageProps) {
  const may = useMay("webhooks:write");
  const loading = useLoad((signal) => client.webhooks.get(id, { signal }), [id], may);
  const [made, setMade] = useState<MadeWebhook>();
  const remove = async () => {
    await client.webhooks.delete(id);
    tell(`The webhook ${id} is deleted.`);
    goTo(hrefOf("/webhooks"));
  };
  const rotate = async () => {
    setMade(await client.webhooks.rotate(id));
    loading.reload();
  };
  return (
    <Page
      title={id}
      actions={
        <>
          <ConfirmButton harmless label="Another secret" question={`Give ${id} another secret?`} confirm="Make it" disabled={!may} act={rotate}>
            <p>For a day messages are signed with both, so that the receiver has the time to change.</p>
          </ConfirmButton>
          <ConfirmButton label="Delete" question={`Delete the webhook ${id}?`} confirm="Delete" disabled={!may} act={remove}>
            <p>It is told nothing more, also not what waits. Made anew it has another secret.</p>
          </ConfirmButton>
        </>
      }
    >
      <Lacks of={{ "webhooks:write": "you can neither see nor change webhooks" }} />
      <WebhookSecret of={made} />
      <Loaded of={loading} what="The webhook">
        {(webhook) => (
          <>
            <Facts webhook={webhook} />
            {may && <Edit key={webhook.revision} webhook={webhook} onMade={setMade} onChange={loading.reload} />}
            <Test name={id} />
            <Deliveries name={id} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Facts({ webhook: { url, events, refused_per_minute, previous_secret_until, updated_at, updated_by } }: { webhook: WebhookBody }) {
  return (
    <dl class="facts">
      <dt>Address</dt>
      <dd>{url}</dd>
      <dt>Is told when</dt>
      <dd>
        {events.map((event) => (
          <div key={event}>
            {EVENT_TITLES[event]}
            {event === "calls.refused" && `, at least ${refused_per_minute.toLocaleString("en")} in a minute`} <code class="quiet">{event}</code>
          </div>
        ))}
      </dd>
      {previous_secret_until !== null && (
        <>
          <dt>Signed with</dt>
          <dd>
            two secrets, until <Time at={previous_secret_until} />
          </dd>
        </>
      )}
      <dt>Changed</dt>
      <dd>
        <Time at={updated_at} /> by {updated_by}, who is told nothing by it that they may not read
      </dd>
    </dl>
  );
}

interface EditProps {
  readonly webhook: WebhookBody;
  readonly onMade: (made: MadeWebhook) => void;
  readonly onChange: () => void;
}

/** Changes a webhook. With another address it has another secret, which no undo brings back. */
function Edit({ webhook, onMade, onChange }: EditProps) {
  const { name, url, events, refused_per_minute } = webhook;
  const saving = useTask(async (form: HTMLFormElement) => {
    const made = await client.webhooks.put(name, webhookOf(new FormData(form)));
    onMade(made);
    const undo = async () => {
      await client.webhooks.put(name, { url, events, refused_per_minute });
      onChange();
    };
    tell(`The webhook ${name} is changed.`, made.secret === undefined ? undo : undefined);
    onChange();
  });
  return (
    <EditForm summary="Change it" saving={saving}>
      <WebhookFields webhook={webhook} />
    </EditForm>
  );
}

function Test({ name }: { name: string }) {
  const may = useMay("webhooks:write");
  const [result, setResult] = useState<WebhookTest>();
  const testing = useTask(async () => {
    setResult(undefined);
    setResult(await client.webhooks.test(name));
  });
  return (
    <>
      <h2>Does it answer?</h2>
      <div class="actions">
        <button type="button" onClick={testing.run} disabled={!may || testing.running}>
          {testing.running ? "Sending …" : "Send a test message"}
        </button>
      </div>
      <Failure error={testing.error} what="The test" />
      {result && (
        <div class={result.delivered ? "note good" : "note bad"} role="status">
          <p>
            <strong>{result.delivered ? "It was taken." : "It was not taken."}</strong> {result.detail}
          </p>
        </div>
      )}
    </>
  );
}
