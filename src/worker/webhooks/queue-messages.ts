import { EXPIRING_DAYS } from "../../contract/webhook.ts";
import type { WebhookEvent } from "../../contract/webhook-events.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { noteFailures, type SealedCells, selectSealed } from "../store/integrity-rows.ts";
import { requireUnchanged } from "../store/require-unchanged.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type DeliveryRow, insertDeliveries } from "../store/webhook-deliveries.ts";
import { NAMED, type NewsQuery, type NewsRow, selectNews } from "../store/webhook-news.ts";
import {
  deleteWebhookRow,
  insertMissingMarks,
  type MovedMark,
  moveMarks,
  replaceSigning,
  selectWatched,
  type WatchedRow,
  type WebhookMark,
} from "../store/webhook-rows.ts";
import { allowSealing, type SealingKeyring } from "../transaction/allow-sealing.ts";
import { insertOwnEvent } from "../transaction/insert-own-event.ts";
import { newId } from "../transaction/new-id.ts";
import { IntegrityProblem, sealFor, verifyRow } from "../transaction/verify-row.ts";
import { type FoundWebhook, foundOf } from "./read-webhooks.ts";
import { messageBody } from "./send-message.ts";
import { renewedSigning } from "./signing.ts";
import { covers, mayRead } from "./webhook-maker.ts";

/** How many webhooks one run looks for news for: those first that it has not for longest. */
const AT_ONCE = 40;
/** With so many messages of a webhook waiting nothing is looked for: what is new is told when some of them have come to an end. */
const MOST_WAITING = 20;
/** How many events of a log one look goes through. */
const EVENTS = 5_000;
/** How long there is quiet after a webhook was told of refused calls, in milliseconds. */
const QUIET = 3_600_000;
/** What was written is in the database by then, in milliseconds: a write says when it was asked for. */
const SETTLED = 30_000;
const DAY = 86_400_000;
const MINUTE = 60_000;

interface Needs {
  readonly db: D1Database;
  readonly keyring: Keyring;
  readonly now: Date;
}

/** What is to be told. */
interface News {
  readonly event: WebhookEvent;
  readonly data: object;
}

/**
 * Looks for what is new for webhooks, and queues it as messages. How far a webhook has been told moves in the transaction that
 * queues what it is to be told, so nothing is told twice or left out, wherever a run breaks off. A webhook whose maker's token
 * was revoked ends. Returns how many messages were queued.
 *
 * @throws {AggregateError} when it failed for some; for the others it is done.
 */
export async function queueMessages(needs: Needs): Promise<number> {
  const { db, now } = needs;
  const [, watched] = await runBatch(db, [insertMissingMarks(db, now.getTime()), selectWatched(db, AT_ONCE)]);
  const rows = rowsOf<WatchedRow>(watched);
  if (rows.length === 0) return 0;
  const sealing = await allowSealing(needs);
  const { found, failures } = await verified(sealing, rows);
  const news = await newsOf(sealing, found);
  const deliveries = await Promise.all(news.flatMap(({ webhook, news }) => news.map((one) => deliveryOf(sealing, webhook, one))));
  const moved = [
    ...news.map(({ webhook, mark }) => moveOf(webhook.watched, mark)),
    ...failures.map(({ row }) => moveOf(row, { ...markIn(row), at: now.getTime() })),
  ];
  await runBatch(db, [...moveMarks(db, moved, now.getTime()), ...(deliveries.length > 0 ? [insertDeliveries(db, deliveries)] : [])]);
  if (failures.length > 0)
    throw new AggregateError(
      failures.map(({ error }) => error),
      "webhooks are not what was written",
    );
  return deliveries.length;
}

/** A webhook that is what was written, and how far it has been told. */
interface Watched extends FoundWebhook {
  readonly watched: WatchedRow;
}

/** Those that are what was written. One whose maker is not in force any more is deleted, and one whose secrets are under an older key has them under the current one. */
async function verified(needs: Needs & { readonly keyring: SealingKeyring }, rows: readonly WatchedRow[]) {
  const { db, keyring, now } = needs;
  const found: Watched[] = [];
  const failures: { readonly row: WatchedRow; readonly error: unknown }[] = [];
  for (const watched of rows) {
    try {
      const row = await verifyRow(keyring, "webhooks", watched);
      if (row.ended === 1) {
        await runBatch(db, [
          requireUnchanged(db, "webhooks", row.org, row.name, row),
          deleteWebhookRow(db, row.org, row.name),
          insertOwnEvent(db, row.org, "webhook.delete", row.name, now),
        ]);
        continue;
      }
      const renewed = await renewedSigning(keyring, row);
      if (renewed !== undefined) await runBatch(db, [replaceSigning(db, row, renewed)]);
      found.push({ ...foundOf(row), watched: row });
    } catch (error) {
      failures.push({ row: watched, error });
      if (error instanceof IntegrityProblem) await runBatch(db, [noteFailures(db, [error.row], now.getTime())]);
    }
  }
  return { found, failures };
}

async function newsOf(needs: Needs, found: readonly Watched[]) {
  const { db, now } = needs;
  if (found.length === 0) return [];
  const queries = found.map((webhook) => queryOf(webhook, now.getTime()));
  const results = await runBatch(
    db,
    queries.map((query) => selectNews(db, query)),
  );
  return Promise.all(
    results.map(async (result, n) => {
      const webhook = found[n] as Watched;
      const [row] = rowsOf<NewsRow>(result);
      if (!row) throw new Error("nothing was looked for");
      // What waits is told first: until then all stays as it was, but for its turn.
      if (webhook.watched.waiting >= MOST_WAITING) return { webhook, news: [], mark: markIn(webhook.watched) };
      return { webhook, ...(await read(needs, webhook, row, queries[n] as NewsQuery)) };
    }),
  );
}

function queryOf({ watched, maker }: Watched, now: number): NewsQuery {
  const { org, at: from, seq: after, last } = watched;
  const to = Math.max(from, now - SETTLED);
  return { org, from, to, ahead: EXPIRING_DAYS * DAY, after, last: Math.min(last, after + EVENTS), scopes: maker.secret_scopes, names: maker.secret_names };
}

/** What of that the webhook is told, and how far it has been told then. */
async function read(
  needs: Needs,
  { watched, definition, maker }: Watched,
  row: NewsRow,
  { to, last: seq }: NewsQuery,
): Promise<{ readonly news: readonly News[]; readonly mark: WebhookMark }> {
  const told = (event: WebhookEvent) => definition.events.includes(event) && mayRead(maker, event);
  const lists = { "secret.rotation_due": row.rotation, "secret.expiring": row.expiring, "secret.expired": row.expired } as const;
  const news: News[] = [];
  for (const [event, ids] of Object.entries(lists) as [keyof typeof lists, string][]) {
    const listed = JSON.parse(ids) as string[];
    const secrets = told(event) ? await secretsOf(needs, watched.org, listed.slice(0, NAMED), (scope, name) => covers(maker, scope, name)) : [];
    if (secrets.length > 0) news.push({ event, data: { org: watched.org, secrets, more: listed.length > NAMED } });
  }
  const events = JSON.parse(row.integrity) as number[];
  if (told("integrity.failed") && events.length > 0)
    news.push({ event: "integrity.failed", data: { org: watched.org, events: events.slice(0, NAMED), more: events.length > NAMED } });
  const { minute, refused, tooMany } = refusedOf(watched, JSON.parse(row.refused) as [number, number][], definition.refused_per_minute);
  const at = needs.now.getTime();
  const tells = told("calls.refused") && tooMany !== undefined && at - watched.told_at >= QUIET;
  if (tells)
    news.push({ event: "calls.refused", data: { org: watched.org, minute: new Date(tooMany.minute * MINUTE).toISOString(), refused: tooMany.refused } });
  return { news, mark: { at: to, seq, minute, refused, told_at: tells ? at : watched.told_at } };
}

/** The last minute with its count, which may go on, and the minute in which most calls were refused, if those are as many as to be told. */
function refusedOf(watched: WatchedRow, counted: readonly [minute: number, n: number][], threshold: number) {
  const minutes = counted.map(([minute, n]) => ({ minute, refused: minute === watched.minute ? watched.refused + n : n }));
  const last = minutes.at(-1) ?? { minute: watched.minute, refused: watched.refused };
  const tooMany = minutes.filter(({ refused }) => refused >= threshold).sort((a, b) => b.refused - a.refused)[0];
  return { ...last, tooMany };
}

/** Secrets as messages name them: of those that are what was written. What is not is found by others. */
async function secretsOf({ db, keyring }: Needs, org: string, ids: readonly string[], isCovered: (scope: string, name: string) => boolean): Promise<object[]> {
  if (ids.length === 0) return [];
  const [found] = await runBatch(db, [
    selectSealed(
      db,
      "secrets",
      ids.map((id) => [id]),
    ),
  ]);
  const cells = await Promise.all(rowsOf<SealedCells>(found).map((row) => verifyRow(keyring, "secrets", row).catch(unlessBroken)));
  return cells
    .filter((row) => row !== undefined)
    .filter((row) => row.org === org && row.deleted_at === null && isCovered(String(row.scope), String(row.name)))
    .map(({ id, scope, name, version, expires_at }) => ({
      id,
      scope,
      name,
      version,
      expires_at: expires_at === null ? null : new Date(Number(expires_at)).toISOString(),
    }));
}

function unlessBroken(error: unknown): undefined {
  if (!(error instanceof IntegrityProblem)) throw error;
}

async function deliveryOf(
  { keyring, now }: { readonly keyring: SealingKeyring; readonly now: Date },
  { row }: Watched,
  { event, data }: News,
): Promise<DeliveryRow> {
  const at = now.getTime();
  const made = { id: newId("msg"), org: row.org, webhook: row.name, event, payload: messageBody(event, now, data), created_at: at };
  return { ...made, attempts: 0, next_at: at, done_at: null, outcome: null, status: null, seal: await sealFor(keyring, "webhook_deliveries", made) };
}

function markIn({ at, seq, minute, refused, told_at }: WebhookMark): WebhookMark {
  return { at, seq, minute, refused, told_at };
}

function moveOf(watched: WatchedRow, mark: WebhookMark): MovedMark {
  return { org: watched.org, name: watched.name, was: markIn(watched), mark };
}
