import { setTimeout as sleep } from "node:timers/promises";
import type { AuditEvent, AuditFilter, Client, VerifyReply } from "../../client/create-client.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { clean, dataColors, endProgress, note, printJson, printLine, progress } from "../output.ts";
import { parseDuration, parseTime } from "../parse-duration.ts";
import { printTable } from "../print-table.ts";
import { showTime, TIME_ARG } from "../relative-time.ts";
import { openSession } from "../session.ts";

/** How far back in milliseconds `--follow` looks for a first event where the log has none yet; clocks differ. */
const LOOK_BACK = 3_600_000;

/** Which events. */
const FILTER_ARGS = {
  action: { type: "string", valueHint: "ACTION", description: "only this action, such as secret.resolve" },
  actor: { type: "string", valueHint: "SUBJECT", description: "only this subject" },
  "secret-id": { type: "string", valueHint: "ID", description: "only this secret" },
  outcome: {
    type: "enum",
    options: ["allowed", "denied", "not-found", "failed"],
    description: "only what came to this: failed was allowed and could not be done, not-found is a resolve of what is not there",
  },
  since: { type: "string", valueHint: "TIME", description: "a time, or a duration such as 24h" },
  until: { type: "string", valueHint: "TIME", description: "a time, or a duration such as 1h" },
} as const;

const verify = command({
  description: "Have the service check its audit log against the signed digests over it",
  examples: ["keyhole audit verify"],
  async run({ profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    let reply = await client.audit.verify();
    const total = { ...reply };
    // What a later service wrote is not the end: something bad may come after it.
    while (reply.first_bad === null && reply.next_cursor) {
      progress(`${total.checked} events checked …`);
      reply = await client.audit.verify({ cursor: reply.next_cursor });
      const newer = total.newer ?? reply.newer;
      const reason = reply.reason && reply.reason !== "newer" ? reply.reason : (total.reason ?? reply.reason);
      const { unsealed, first_bad, restored = total.restored } = reply;
      const ok = reply.ok && newer === undefined && reason === undefined;
      Object.assign(total, { ok, checked: total.checked + reply.checked, unsealed, first_bad, newer, reason, restored });
    }
    endProgress();
    const { ok, checked, unsealed, first_bad, newer, reason, restored } = total;
    if (json) printJson({ ok, checked, unsealed, first_bad, ...(newer && { newer }), ...(reason && { reason }), ...(restored && { restored }) });
    else printLine(verdictOf(total));
    for (const lost of json ? [] : (restored ?? []))
      note(`Events ${lost.first_seq} to ${lost.last_seq} were lost in a restore that ${lost.by} accepted at ${lost.at}.`);
    return ok ? EXIT.ok : EXIT.failed;
  },
});

function verdictOf({ checked, unsealed, first_bad, newer, reason }: VerifyReply): string {
  if (reason === "behind") return `The log was cut short or taken away: it was once on record with event ${first_bad}, which is not there.`;
  if (reason === "differs") return `The log is another one than was on record: the first event that may differ is ${first_bad}.`;
  if (reason === "registry-lost") return "What was on record of the log elsewhere is gone: nothing shows whether the log is all there.";
  if (first_bad !== null) return `The log was changed: the first event that does not fit is ${first_bad}.`;
  if (newer) return `Nothing was found changed, but from event ${newer.seq} on the log holds what only a later service can check: update it.`;
  return `The log is whole: ${checked} events checked, ${unsealed} not sealed yet.`;
}

const anchor = command({
  description: "Print a signed statement of how far the log has come, to be kept elsewhere",
  examples: ["keyhole audit anchor >> anchors.txt"],
  async run({ profile, insecure, json }) {
    const { client } = await openSession({ profile, insecure });
    const anchors: string[] = [];
    for (let cursor: string | null | undefined; cursor !== null; ) {
      const reply = await client.audit.anchor(cursor === undefined ? {} : { cursor });
      anchors.push(reply.anchor);
      cursor = reply.next_cursor;
    }
    if (json) printJson({ anchors });
    else for (const one of anchors) printLine(clean(one));
  },
});

const exported = command({
  description: "Print the whole log, or what of it is asked for, oldest first and an event a line (JSON); an export is on record itself",
  examples: ["keyhole audit export --since 30d > audit.ndjson", "keyhole audit export --after 41240 >> audit.ndjson"],
  common: ["profile", "insecure"],
  args: { ...FILTER_ARGS, after: { type: "string", valueHint: "SEQ", description: "only what comes after this event: how one that broke off goes on" } },
  async run({ profile, insecure, after, ...given }) {
    if (after !== undefined && !/^\d{1,15}$/.test(after)) throw usageError("--after is not the number of an event", "the seq of the last line");
    const { client } = await openSession({ profile, insecure });
    for await (const event of client.audit.stream({ ...filterOf(given), ...(after !== undefined && { after: Number(after) }) })) printJson(event, 0);
  },
});

/** `keyhole audit`. */
export const audit = command({
  description: "Show who did what, newest first; --follow goes on as it happens",
  examples: ["keyhole audit", "keyhole audit --action secret.resolve --since 24h", "keyhole audit --follow --outcome denied"],
  subCommands: { verify, anchor, export: exported },
  args: {
    ...FILTER_ARGS,
    limit: { type: "string", valueHint: "N", default: "50", description: "how many at most, 1 to 200" },
    follow: { type: "boolean", alias: "f", description: "print new events as they come; with --json, a line for each" },
    interval: { type: "string", valueHint: "DURATION", default: "2", description: "how often --follow asks" },
    ...TIME_ARG,
  },
  async run({ profile, insecure, json, follow, interval, limit, time, ...given }) {
    if (!/^\d{1,3}$/.test(limit)) throw usageError("--limit is not a number", "1 to 200");
    const filter = filterOf(given);
    const seconds = parseDuration("--interval", interval, 86_400);
    const { client } = await openSession({ profile, insecure });
    const found = await newestEvents(client, filter, Number(limit) + 1);
    const events = found.slice(0, Number(limit));
    if (follow) return followLog(client, filter, events.reverse(), seconds, json === true);
    if (found.length > events.length) note("There is more before this: --until, or --limit up to 200.");
    if (json) return printJson(events);
    const when = showTime(time);
    const rows = events.map((event) => [when(event.at), event.actor, event.issuer ?? "", event.action, event.outcome, subjectsOf(event), event.ip ?? ""]);
    printTable(["WHEN", "WHO", "ISSUER", "WHAT", "OUTCOME", "SECRETS", "FROM"], rows, "No events.");
  },
});

/** A page may hold fewer events than there are, even none, for who may see only some. */
async function newestEvents(client: Client, filter: AuditFilter, limit: number): Promise<AuditEvent[]> {
  const events: AuditEvent[] = [];
  for await (const event of client.audit.listAll({ ...filter, limit: Math.min(limit, 200) })) if (events.push(event) >= limit) break;
  return events;
}

/** Prints events oldest first, and then for as long as it runs those that come. */
async function followLog(client: Client, filter: AuditFilter, events: AuditEvent[], seconds: number, json: boolean): Promise<never> {
  note("Following the audit log; Ctrl-C ends it.");
  // Without an event to go back to, each look would go through the whole log.
  const recent = events.length > 0 ? filter : { ...filter, since: lately(filter.since) };
  for (let last = 0, fresh = events; ; fresh = await eventsAfter(client, recent, last)) {
    for (const event of fresh) json ? printJson(event, 0) : printLine(lineOf(event));
    last = fresh.at(-1)?.seq ?? last;
    await sleep(seconds * 1000);
  }
}

/** {@link LOOK_BACK} ago, or `since` where that is later. */
function lately(since = ""): string {
  return new Date(Math.max(Date.now() - LOOK_BACK, Date.parse(since) || 0)).toISOString();
}

/** What is in the log after number `last`, oldest first. */
async function eventsAfter(client: Client, filter: AuditFilter, last: number): Promise<AuditEvent[]> {
  const fresh: AuditEvent[] = [];
  for await (const event of client.audit.listAll(filter)) {
    if (event.seq <= last) break;
    fresh.unshift(event);
  }
  return fresh;
}

function lineOf(event: AuditEvent): string {
  const outcome = event.outcome === "allowed" ? "allowed" : dataColors.red(event.outcome);
  const who = event.issuer ? `${event.actor} of ${event.issuer}` : event.actor;
  return `${event.at}  ${clean(who)}  ${clean(event.action)}  ${outcome}  ${clean(subjectsOf(event))}`.trimEnd();
}

/** What an event is about: of what was refused, what was asked for, which may be no more than an id. */
function subjectsOf({ secrets, secrets_total: total = secrets.length, target, lease }: AuditEvent): string {
  const named = secrets.map(({ id, name, scope }) => [name ?? id, scope].filter(Boolean).join(" in "));
  const shown = named.slice(0, 3).join(", ");
  const more = total - Math.min(3, named.length);
  const asked = lease?.calls?.requests.map(({ request, count }) => (count > 1 ? `${request} ×${count}` : request)) ?? [];
  return [target, more > 0 ? `${shown} and ${more} more` : shown, asked.join(", ")].filter(Boolean).join(": ");
}

interface Given {
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  readonly "secret-id"?: string | undefined;
  readonly outcome?: AuditFilter["outcome"];
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

function filterOf(given: Given): AuditFilter {
  return { action: given.action, actor: given.actor, secret_id: given["secret-id"], outcome: given.outcome, ...timesOf(given) };
}

function timesOf({ since, until }: { since?: string | undefined; until?: string | undefined }): Pick<AuditFilter, "since" | "until"> {
  return {
    ...(since !== undefined && { since: parseTime("--since", since, { sign: -1 }) }),
    ...(until !== undefined && { until: parseTime("--until", until, { sign: -1 }) }),
  };
}
