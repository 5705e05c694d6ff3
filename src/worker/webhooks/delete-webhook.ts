import type { Caller } from "../access/caller.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { deleteWebhookRow } from "../store/webhook-rows.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { CallerNeeds } from "../transaction/run-for-caller.ts";
import { writeForCaller } from "../transaction/write-for-caller.ts";
import { getWebhook } from "./read-webhooks.ts";

/**
 * Deletes a webhook, with what it was still to be told. Whoever may write webhooks may: it gives them nothing.
 *
 * @throws {Problem} `forbidden`, `webhook-not-found`, `write-conflict`, `integrity-failed`, `storage-unavailable`.
 */
export async function deleteWebhook(needs: CallerNeeds & { readonly now: Date }, caller: Caller, name: string): Promise<void> {
  caller.require("webhooks:write");
  await retryWhenChanged(async () => {
    const { row } = await getWebhook(needs, caller, name);
    const deletion = [requireUnchanged(needs.db, "webhooks", caller.org, name, row), deleteWebhookRow(needs.db, caller.org, name)];
    await writeForCaller(needs, caller, deletion, { action: "webhook.delete", secrets: [], target: name });
  });
}
