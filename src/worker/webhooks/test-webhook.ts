import type { WebhookTest } from "../../contract/webhook.ts";
import type { Caller } from "../access/caller.ts";
import { newId } from "../transaction/new-id.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { getWebhook } from "./read-webhooks.ts";
import { messageBody, type SentMessage, sendMessage, wasTaken } from "./send-message.ts";
import type { AddressNeeds } from "./webhook-address.ts";

/**
 * Sends a message `webhook.test`, which says nothing, to a webhook's address, once. That it is sent is on record before.
 *
 * @throws {Problem} `forbidden`, `webhook-not-found`, `integrity-failed`, `storage-unavailable`.
 */
export async function testWebhook(needs: CallerNeeds & AddressNeeds & { readonly now: Date }, caller: Caller, name: string): Promise<WebhookTest> {
  caller.require("webhooks:write");
  const found = await getWebhook(needs, caller, name);
  await writeForCaller(needs, caller, [], { action: "webhook.test", secrets: [], target: name });
  const sent = await sendMessage(needs, found, { id: newId("msg"), body: messageBody("webhook.test", needs.now, { org: caller.org }) });
  return { delivered: wasTaken(sent), status: sent.status, detail: detailOf(sent) };
}

function detailOf(sent: SentMessage): string {
  if (sent.status !== null)
    return wasTaken(sent) ? "The message was taken." : "The address answers, and does not take the message: that needs a status of 200 to 299.";
  if (sent.refusal === "address") return "Nothing is sent to that address.";
  return sent.refusal === "secret" ? "The secret to sign with cannot be opened: give the webhook another one." : "Nobody answers at the address in time.";
}
