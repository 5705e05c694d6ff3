import type { Keyring } from "../envelope/keyring.ts";
import { noteFailures } from "../store/integrity-rows.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { claimDeliveries, type DeliveryRow, forgetDeliveries, noteAttempts, selectDueDeliveries } from "../store/webhook-deliveries.ts";
import { type NamedWebhookRow, selectNamedWebhooks } from "../store/webhook-rows.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import { IntegrityProblem, verifyRow } from "../transaction/verify-row.ts";
import { type FoundWebhook, foundOf } from "./read-webhooks.ts";
import { type SentMessage, sendMessage, wasTaken } from "./send-message.ts";
import type { AddressNeeds } from "./webhook-address.ts";

type Needs = AddressNeeds & { readonly db: D1Database; readonly keyring: Keyring; readonly now: Date };

/** How many messages one run sends, all at once: of each organization its share. */
const AT_ONCE = 30;
const MINUTE = 60_000;
/** How long after an attempt the next one is, in minutes, as Standard Webhooks proposes it; after the last of them a message is given up, three days after it was made. */
const WAITS = [1, 5, 30, 120, 300, 600, 840, 1_200, 1_440] as const;
/** When a message is looked at again that is not what was written, or whose webhook is not, in minutes. */
const BROKEN_AGAIN = 60;

/** What became of a message. */
type Became = "delivered" | "given-up" | "waits" | "broken";

/**
 * Sends messages that are due. Each is taken for an attempt before it is sent, so no two runs send it at the same time, and its
 * outcome is noted after: what breaks off between is sent again, with the same id. Returns how many became what.
 *
 * @throws {AggregateError} when it failed for some; for the others it is done.
 */
export async function deliverMessages(needs: Needs): Promise<Readonly<Record<string, number>>> {
  const { db, now } = needs;
  const at = now.getTime();
  const [found] = await runBatch(db, [selectDueDeliveries(db, at, AT_ONCE, Math.floor(at / MINUTE))]);
  const due = rowsOf<DeliveryRow>(found);
  if (due.length === 0) return {};
  const claims = due.map(({ id, attempts }) => ({ id, attempts, next_at: at + (WAITS[attempts] ?? BROKEN_AGAIN) * MINUTE }));
  const [claimed, webhooks] = await runBatch(db, [claimDeliveries(db, claims), selectNamedWebhooks(db, due)]);
  const taken = new Set(rowsOf<{ id: string }>(claimed).map(({ id }) => id));
  const rows = new Map(rowsOf<NamedWebhookRow>(webhooks).map((row) => [`${row.org} ${row.name}`, row]));
  const failures: unknown[] = [];
  const mine = due.filter(({ id }) => taken.has(id));
  const attempted = await Promise.all(mine.map(async (row) => ({ row, ...(await attempt(needs, rows.get(`${row.org} ${row.webhook}`), row, failures)) })));
  const ended = attempted.filter(({ became }) => became === "given-up");
  await runBatch(db, [
    noteAttempts(
      db,
      attempted
        .filter(({ became }) => became !== "broken")
        .map(({ row, became, status }) => {
          const over = became === "waits" ? null : (became as "delivered" | "given-up");
          return { id: row.id, status, outcome: over, done_at: over === null ? null : at };
        }),
    ),
    ...ended.map(({ row }) => insertOwnEvent(db, row.org, "webhook.give-up", `${row.webhook} ${row.event} ${row.id}`, now, "failed")),
    forgetDeliveries(db, mine),
  ]);
  if (failures.length > 0) throw new AggregateError(failures, "messages of webhooks, or webhooks, are not what was written");
  return Object.fromEntries([...Map.groupBy(attempted, ({ became }) => became)].map(([became, some]) => [became, some.length]));
}

/** Sends one message. Without its webhook, or where the maker of that is not in force any more, it waits for that to be deleted. */
async function attempt(
  needs: Needs,
  webhook: NamedWebhookRow | undefined,
  row: DeliveryRow,
  failures: unknown[],
): Promise<{ readonly became: Became; readonly status: number | null }> {
  if (!webhook || webhook.ended === 1) return { became: "waits", status: row.status };
  try {
    const found: FoundWebhook = foundOf(await verifyRow(needs.keyring, "webhooks", webhook));
    const { id, payload } = await verifyRow(needs.keyring, "webhook_deliveries", row);
    const sent: SentMessage = await sendMessage(needs, found, { id, body: payload });
    if (wasTaken(sent)) return { became: "delivered", status: sent.status };
    return { became: row.attempts >= WAITS.length ? "given-up" : "waits", status: sent.status };
  } catch (error) {
    failures.push(error);
    if (error instanceof IntegrityProblem) await runBatch(needs.db, [noteFailures(needs.db, [error.row], needs.now.getTime())]);
    return { became: "broken", status: row.status };
  }
}
