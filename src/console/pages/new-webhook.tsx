import { useState } from "preact/hooks";
import type { MadeWebhook } from "../../client/create-client.ts";
import { hrefOf } from "../address.ts";
import { client } from "../client.ts";
import { textOf } from "../form-data.ts";
import { Failure } from "../parts/failure.tsx";
import { TextField } from "../parts/field.tsx";
import { Lacks } from "../parts/lacks.tsx";
import { Page } from "../parts/page.tsx";
import { WebhookFields, webhookOf } from "../parts/webhook-fields.tsx";
import { WebhookSecret } from "../parts/webhook-secret.tsx";
import { useMay } from "../session.ts";
import { useTask } from "../use-task.ts";

/** Makes a webhook, and gives its secret this once. */
export function NewWebhook() {
  const may = useMay("webhooks:write");
  const [made, setMade] = useState<MadeWebhook>();
  const making = useTask(async (form: HTMLFormElement) => {
    const data = new FormData(form);
    setMade(await client.webhooks.put(textOf(data, "name") ?? "", webhookOf(data)));
  });
  if (made)
    return (
      <Page title={`${made.name} is told from now on`}>
        <WebhookSecret of={made} />
        <p>
          <a href={hrefOf(`/webhooks/${encodeURIComponent(made.name)}`)}>To the webhook {made.name}</a>, where a test message can be sent.
        </p>
      </Page>
    );
  return (
    <Page title="New webhook">
      <Lacks of={{ "webhooks:write": "you cannot make webhooks" }} />
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          making.run(event.currentTarget);
        }}
      >
        <TextField label="Name" name="name" required placeholder="on-call" hint="Small letters, digits and -. A webhook of this name is replaced." />
        <WebhookFields />
        <Failure error={making.error} what="No webhook is made" />
        <div class="actions">
          <button type="submit" class="primary" disabled={!may || making.running}>
            Make the webhook
          </button>
          <a href={hrefOf("/webhooks")}>Cancel</a>
        </div>
      </form>
    </Page>
  );
}
