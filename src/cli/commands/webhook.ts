import type { PutWebhook, WebhookBody } from "../../client/create-client.ts";
import { WEBHOOK_EVENT_NAMES } from "../../contract/webhook-events.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { clean, note, printJson, printLine } from "../output.ts";
import { printFields, printTable } from "../print-table.ts";
import { askToConfirm } from "../prompt.ts";
import { relativeTime } from "../relative-time.ts";
import { openSession } from "../session.ts";
import { YES_ARG } from "./delete.ts";

const NAME_ARG = { name: { type: "positional", suggests: "webhook", description: "the name of the webhook" } } as const;
const EVENTS = WEBHOOK_EVENT_NAMES.join(", ");

const set = command({
  description: "Make or replace a webhook; its secret is printed this once",
  examples: ["keyhole webhook set on-call --url https://hooks.example.com/keyhole --events secret.expiring,integrity.failed"],
  args: {
    ...NAME_ARG,
    url: { type: "string", valueHint: "URL", description: "where messages are sent: https, a public name" },
    events: { type: "string", valueHint: "LIST", description: `of what, separated by commas: ${EVENTS}` },
    refused: { type: "string", valueHint: "NUMBER", default: "60", description: "how many refused calls in a minute are calls.refused" },
  },
  async run({ name, url, refused, profile, insecure, json }, { all }) {
    if (url === undefined) throw usageError("--url is missing", "for example --url https://hooks.example.com/keyhole");
    const events = all("events") as PutWebhook["events"];
    if (events.length === 0) throw usageError("--events is missing", `some of ${EVENTS}`);
    const { client } = await openSession({ profile, insecure });
    const webhook = await client.webhooks.put(name, { url, events, refused_per_minute: Number(refused) });
    if (json) return printJson(webhook);
    note(`${name} is told of ${webhook.events.join(", ")}. Does it answer? keyhole webhook test ${name}`);
    printSecret(webhook.secret);
  },
});

const list = command({
  description: "List the webhooks",
  examples: ["keyhole webhook list"],
  async run({ profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const webhooks: WebhookBody[] = [];
    for await (const webhook of client.webhooks.listAll()) webhooks.push(webhook);
    if (json) return printJson(webhooks);
    printTable(
      ["NAME", "WHERE", "EVENTS"],
      webhooks.map(({ name, url, events }) => [name, url, events.join(" ")]),
      "No webhooks.",
    );
  },
});

const show = command({
  description: "Show a webhook and its last messages",
  examples: ["keyhole webhook show on-call"],
  args: NAME_ARG,
  async run({ name, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const webhook = await client.webhooks.get(name);
    const { deliveries } = await client.webhooks.deliveries(name);
    if (json) return printJson({ ...webhook, deliveries });
    printFields([
      ["name", webhook.name],
      ["where", webhook.url],
      ["events", webhook.events.join(" ")],
      ["refused", `${webhook.refused_per_minute} in a minute`],
      ...(webhook.previous_secret_until === null ? [] : [["secrets", `two, until ${webhook.previous_secret_until}`] as const]),
      ["updated", `${relativeTime(webhook.updated_at)} by ${webhook.updated_by}`],
    ]);
    const rows = deliveries.map(({ event, state, attempts, status, created_at }) => [
      event,
      state,
      String(attempts),
      String(status ?? "-"),
      relativeTime(created_at),
    ]);
    printTable(["EVENT", "STATE", "ATTEMPTS", "STATUS", "MADE"], rows, "It has not been told anything yet.");
  },
});

const test = command({
  description: "Send a webhook a test message, and say whether it was taken",
  examples: ["keyhole webhook test on-call"],
  args: NAME_ARG,
  async run({ name, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const tried = await client.webhooks.test(name);
    if (json) printJson(tried);
    else {
      printLine(tried.delivered ? "ok" : `not taken${tried.status === null ? "" : `: ${tried.status}`}`);
      note(tried.detail);
    }
    return tried.delivered ? EXIT.ok : EXIT.failed;
  },
});

const rotate = command({
  description: "Give a webhook another secret, which is printed this once; for a day messages are signed with both",
  examples: ["keyhole webhook rotate on-call"],
  args: NAME_ARG,
  async run({ name, profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const webhook = await client.webhooks.rotate(name);
    if (json) return printJson(webhook);
    note(`Messages of ${name} are signed with the secret of before, too, until ${webhook.previous_secret_until}.`);
    printSecret(webhook.secret);
  },
});

const remove = command({
  description: "Delete a webhook, with what it was still to be told",
  examples: ["keyhole webhook delete on-call"],
  args: { ...NAME_ARG, ...YES_ARG },
  async run({ name, profile, insecure, json, yes }) {
    const { client } = await openSession({ profile, insecure });
    await askToConfirm(`Delete webhook ${name}?`, yes);
    await client.webhooks.delete(name);
    if (json) printJson({ deleted: name });
    else note(`Deleted webhook ${name}.`);
  },
});

/** `keyhole webhook …`. */
export const webhook = command({ description: "Say who is told of what happens", subCommands: { set, list, show, test, rotate, delete: remove } });

function printSecret(secret: string | undefined): void {
  if (secret !== undefined) printLine(clean(secret));
}
