import type { PutWebhook, WebhookBody } from "../../client/create-client.ts";
import { WEBHOOK_EVENT_NAMES, WEBHOOK_EVENTS, type WebhookEvent } from "../../contract/webhook-events.ts";
import { numberOf, textOf } from "../form-data.ts";
import { useSession } from "../session.ts";
import { EVENT_TITLES } from "../webhook-events.ts";
import { TextField } from "./field.tsx";

/** Everything of a webhook but its name. A webhook tells nothing that its maker may not read, and the service says so too. */
export function WebhookFields({ webhook }: { webhook?: WebhookBody }) {
  const { permissions } = useSession();
  return (
    <>
      <TextField
        label="Address"
        name="url"
        type="url"
        required
        value={webhook?.url}
        placeholder="https://hooks.example.com/keyhole"
        hint={`Where messages are sent: https, at a public name.${webhook ? " With another address it has another secret." : ""}`}
      />
      <fieldset>
        <legend>Is told when</legend>
        {WEBHOOK_EVENT_NAMES.map((event) => {
          const needed = WEBHOOK_EVENTS[event];
          const lacks = !permissions.includes(needed);
          return (
            <label key={event} class="option">
              <input type="checkbox" name="events" value={event} defaultChecked={!lacks && webhook?.events.includes(event)} disabled={lacks} />
              <span>
                {EVENT_TITLES[event]} <code class="quiet">{event}</code>
              </span>
              {lacks && <small class="hint">your token lacks {needed}</small>}
            </label>
          );
        })}
      </fieldset>
      <TextField
        label="Refused calls in a minute that are many"
        name="refused_per_minute"
        type="number"
        min={1}
        max={1_000_000}
        required
        value={String(webhook?.refused_per_minute ?? 60)}
      />
    </>
  );
}

/** What was filled in. */
export function webhookOf(data: FormData): PutWebhook {
  const refused_per_minute = numberOf(data, "refused_per_minute");
  return {
    url: textOf(data, "url") ?? "",
    events: data.getAll("events") as WebhookEvent[],
    ...(refused_per_minute !== undefined && { refused_per_minute }),
  };
}
