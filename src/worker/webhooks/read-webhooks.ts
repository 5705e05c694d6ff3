import { Problem } from "../../contract/problem.ts";
import type { WebhookDefinition } from "../../contract/webhook.ts";
import type { Caller } from "../access/caller.ts";
import { rowsOf } from "../store/run-batch.ts";
import { type DeliveryRow, selectDeliveries } from "../store/webhook-deliveries.ts";
import { selectWebhook, selectWebhooks, type WebhookRow } from "../store/webhook-rows.ts";
import { type Page, pageOf } from "../transaction/page-of.ts";
import { type CallerNeeds, readForCaller } from "../transaction/run-for-caller.ts";
import { type Verified, verifyRow, verifyRows } from "../transaction/verify-row.ts";
import type { WebhookMaker } from "./webhook-maker.ts";

/** What is stored of a webhook: with the deployment's own address, to which nothing is sent. */
type StoredDefinition = WebhookDefinition & { readonly own: string };

/** A webhook, read. */
export interface FoundWebhook {
  readonly row: Verified<WebhookRow>;
  readonly definition: StoredDefinition;
  readonly maker: WebhookMaker;
}

/** A message of a webhook, read. */
export type FoundDelivery = Verified<DeliveryRow>;

/**
 * Shows one webhook to whoever may write webhooks.
 *
 * @throws {Problem} `forbidden`, `webhook-not-found`, `unauthenticated`, `integrity-failed`, `storage-unavailable`.
 */
export async function getWebhook(needs: CallerNeeds, caller: Caller, name: string): Promise<FoundWebhook> {
  caller.require("webhooks:write");
  const found = await findWebhook(needs, caller, name);
  if (!found) throw new Problem("webhook-not-found", "There is no webhook of this name.");
  return found;
}

/**
 * Lists webhooks, by name.
 *
 * @throws {Problem} `forbidden`, `unauthenticated`, `integrity-failed`, `storage-unavailable`.
 */
export async function listWebhooks({ db, keyring }: CallerNeeds, caller: Caller, limit: number, after = ""): Promise<Page<FoundWebhook, string>> {
  caller.require("webhooks:write");
  const [found] = await readForCaller({ db, keyring }, caller, [selectWebhooks(db, caller.org, after, limit + 1)]);
  const rows = await verifyRows(keyring, "webhooks", rowsOf<WebhookRow>(found));
  return pageOf(rows.map(foundOf), limit, ({ row }) => row.name);
}

/**
 * Lists the last messages of a webhook, the newest first.
 *
 * @throws {Problem} `forbidden`, `webhook-not-found`, `unauthenticated`, `integrity-failed`, `storage-unavailable`.
 */
export async function listDeliveries(needs: CallerNeeds, caller: Caller, name: string): Promise<readonly FoundDelivery[]> {
  caller.require("webhooks:write");
  const { db, keyring } = needs;
  await getWebhook(needs, caller, name);
  const [found] = await readForCaller(needs, caller, [selectDeliveries(db, caller.org, name)]);
  return verifyRows(keyring, "webhook_deliveries", rowsOf<DeliveryRow>(found));
}

/** The organization's webhook of a name, if it has one. */
export async function findWebhook({ db, keyring }: CallerNeeds, caller: Caller, name: string): Promise<FoundWebhook | undefined> {
  const [found] = await readForCaller({ db, keyring }, caller, [selectWebhook(db, caller.org, name)]);
  const [stored] = rowsOf<WebhookRow>(found);
  return stored && foundOf(await verifyRow(keyring, "webhooks", stored));
}

/** A webhook of a row. */
export function foundOf(row: Verified<WebhookRow>): FoundWebhook {
  return { row, definition: JSON.parse(row.definition) as StoredDefinition, maker: JSON.parse(row.maker) as WebhookMaker };
}
