import * as z from "zod";
import { formatTime } from "../../../contract/time.ts";
import {
  type DeliveriesBody,
  deliveriesReplySchema,
  listWebhooksReplySchema,
  listWebhooksSchema,
  type MadeWebhookBody,
  madeWebhookSchema,
  putWebhookSchema,
  testWebhookReplySchema,
  type WebhookBody,
  webhookNameSchema,
  webhookSchema,
} from "../../../contract/webhook.ts";
import type { WebhookEvent } from "../../../contract/webhook-events.ts";
import { deleteWebhook } from "../../webhooks/delete-webhook.ts";
import { putWebhook, rotateWebhook } from "../../webhooks/put-webhook.ts";
import { type FoundDelivery, type FoundWebhook, getWebhook, listDeliveries, listWebhooks } from "../../webhooks/read-webhooks.ts";
import { previousUntil } from "../../webhooks/signing.ts";
import { testWebhook } from "../../webhooks/test-webhook.ts";
import { json } from "../docs/responses.ts";
import type { RequestNeeds } from "../needs-of.ts";
import { operation } from "../operation.ts";
import { jsonBody } from "../parse/body.ts";
import { fromCursor, nextCursor } from "../parse/page-cursor.ts";

const tag = "Webhooks";
const params = z.object({ name: webhookNameSchema });
const path = "/v1/webhooks/{name}";
const permission = "webhooks:write";
const on = { target: "name" } as const;

/** The routes of webhooks. */
export const webhookRoutes = [
  operation(
    {
      method: "put",
      path,
      id: "putWebhook",
      summary: "Make a webhook",
      description:
        "Messages are signed as Standard Webhooks has it, sent by the scheduled run, and tried again for three days. They name secrets and events, and hold no value. A webhook tells nothing that its maker may not read, who is whoever put it last: it needs the permissions that its events need, is told of the secrets that the grant covers, and ends when the token that it was put with is revoked. That the token expires is of no matter.",
      tag,
      permission,
      action: "webhook.put",
      on,
      params,
      body: jsonBody(putWebhookSchema),
      problems: ["write-conflict", "quota-exceeded", "integrity-failed"],
      replies: { 200: json(madeWebhookSchema, "It replaces the one that was there."), 201: json(madeWebhookSchema, "The webhook is new.") },
    },
    async ({ c, needs, caller, params: { name }, body }) => {
      const made = await putWebhook(needs, caller, name, body, new URL(c.req.url).origin);
      return c.json(await madeBody(needs, made), made.created ? 201 : 200);
    },
  ),
  operation(
    {
      method: "get",
      path,
      id: "getWebhook",
      summary: "Get a webhook",
      tag,
      permission,
      action: "webhook.read",
      on,
      params,
      problems: ["webhook-not-found", "integrity-failed"],
      replies: { 200: json(webhookSchema, "The webhook.") },
    },
    async ({ c, needs, caller, params: { name } }) => c.json(await webhookBody(needs, await getWebhook(needs, caller, name))),
  ),
  operation(
    {
      method: "delete",
      path,
      id: "deleteWebhook",
      summary: "Delete a webhook",
      tag,
      permission,
      action: "webhook.delete",
      on,
      params,
      problems: ["webhook-not-found", "write-conflict", "integrity-failed"],
      replies: { 204: { description: "It is gone, with what it was still to be told." } },
    },
    async ({ c, needs, caller, params: { name } }) => {
      await deleteWebhook(needs, caller, name);
      return c.body(null, 204);
    },
  ),
  operation(
    {
      method: "post",
      path: `${path}/rotate`,
      id: "rotateWebhook",
      summary: "Give a webhook another secret",
      description: "For a day messages are signed with both.",
      tag,
      permission,
      action: "webhook.put",
      on,
      params,
      problems: ["webhook-not-found", "write-conflict", "integrity-failed"],
      replies: { 200: json(madeWebhookSchema, "The webhook, with its new secret.") },
    },
    async ({ c, needs, caller, params: { name } }) => c.json(await madeBody(needs, await rotateWebhook(needs, caller, name))),
  ),
  operation(
    {
      method: "post",
      path: `${path}/test`,
      id: "testWebhook",
      summary: "Send a webhook a test message",
      description: "A message `webhook.test`, once, at once. That it is sent is on record before.",
      tag,
      permission,
      action: "webhook.test",
      on,
      params,
      problems: ["webhook-not-found", "integrity-failed"],
      replies: { 200: json(testWebhookReplySchema, "Whether it was taken.") },
    },
    async ({ c, needs, caller, params: { name } }) => c.json(await testWebhook(needs, caller, name)),
  ),
  operation(
    {
      method: "get",
      path: `${path}/deliveries`,
      id: "listWebhookDeliveries",
      summary: "List the last messages of a webhook",
      tag,
      permission,
      action: "webhook.read",
      on,
      params,
      problems: ["webhook-not-found", "integrity-failed"],
      replies: { 200: json(deliveriesReplySchema, "The newest first.") },
    },
    async ({ c, needs, caller, params: { name } }) => c.json({ deliveries: (await listDeliveries(needs, caller, name)).map(deliveryBody) }),
  ),
  operation(
    {
      method: "get",
      path: "/v1/webhooks",
      id: "listWebhooks",
      summary: "List webhooks",
      tag,
      permission,
      action: "webhook.read",
      query: listWebhooksSchema,
      problems: ["integrity-failed"],
      replies: { 200: json(listWebhooksReplySchema, "One page, by name.") },
    },
    async ({ c, needs, caller, query: { limit, cursor } }) => {
      const { rows, next } = await listWebhooks(needs, caller, limit, fromCursor(z.string(), cursor));
      return c.json({ webhooks: await Promise.all(rows.map((found) => webhookBody(needs, found))), next_cursor: nextCursor(next) });
    },
  ),
];

async function webhookBody({ keyring, now }: Pick<RequestNeeds, "keyring" | "now">, { row, definition }: FoundWebhook): Promise<WebhookBody> {
  const { name, revision, created_at, created_by, updated_at, updated_by } = row;
  const { url, events, refused_per_minute } = definition;
  const until = await previousUntil(keyring, row, now);
  return {
    ...{ name, revision, url, events, refused_per_minute, created_by, updated_by },
    previous_secret_until: until === null ? null : formatTime(until),
    created_at: formatTime(created_at),
    updated_at: formatTime(updated_at),
  };
}

async function madeBody(needs: Pick<RequestNeeds, "keyring" | "now">, made: FoundWebhook & { readonly secret: string | undefined }): Promise<MadeWebhookBody> {
  return { ...(await webhookBody(needs, made)), ...(made.secret !== undefined && { secret: made.secret }) };
}

function deliveryBody({ id, event, attempts, status, created_at, next_at, done_at, outcome }: FoundDelivery): DeliveriesBody["deliveries"][number] {
  return {
    ...{ id, event: event as WebhookEvent, state: outcome ?? "waiting", attempts, status },
    created_at: formatTime(created_at),
    next_at: done_at === null ? formatTime(next_at) : null,
    done_at: done_at === null ? null : formatTime(done_at),
  };
}
