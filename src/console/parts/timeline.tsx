import type { AuditEvent } from "../../contract/audit.ts";
import { hrefOf } from "../address.ts";
import { exactTime } from "../times.ts";

/** How many secrets of one event are listed; the rest is counted. */
const MOST = 8;

/** Events, newest first, by day. */
export function Timeline({ events }: { events: readonly AuditEvent[] }) {
  if (events.length === 0) return <p class="empty">Nothing that you may see has happened, with these filters.</p>;
  const days = Map.groupBy(events, ({ at }) => at.slice(0, 10));
  return (
    <>
      {[...days].map(([day, events]) => (
        <section key={day} aria-label={day}>
          <h2>{day}</h2>
          <ol class="timeline">
            {events.map((event) => (
              <Event key={event.seq} event={event} />
            ))}
          </ol>
        </section>
      ))}
    </>
  );
}

function Event({ event }: { event: AuditEvent }) {
  const { seq, at, actor, action, outcome, target, ip, user_agent, request_id, lease } = event;
  return (
    <li class={outcome}>
      <div class="line">
        <time dateTime={at} title={exactTime(at)} class="mono quiet">
          {at.slice(11, 19)}
        </time>
        <strong>
          <a href={hrefOf("/audit", { actor })}>{actor}</a>
        </strong>
        <code>{action}</code>
        {outcome !== "allowed" && <span class={outcome === "not-found" ? "badge warn" : "badge bad"}>{outcome}</span>}
        <Named event={event} />
        {target !== null && <code>{target}</code>}
        {lease?.uses !== undefined && <span class="badge">{lease.uses} uses</span>}
        <details class="more">
          <summary>
            <span class="unseen">Details of event </span>#{seq}
            {ip !== null && ` · ${ip}`}
          </summary>
          <dl class="facts">
            <dt>Time</dt>
            <dd>{exactTime(at)}</dd>
            <dt>Request</dt>
            <dd>
              <code>{request_id}</code>
            </dd>
            <dt>Client</dt>
            <dd>{user_agent ?? <span class="quiet">not told</span>}</dd>
            <dt>Token</dt>
            <dd>{event.token_id === null ? <span class="quiet">none</span> : <code>{event.token_id}</code>}</dd>
            <dt>Issuer</dt>
            <dd>{event.issuer ?? <span class="quiet">not told</span>}</dd>
            {lease && (
              <>
                <dt>Lease</dt>
                <dd>
                  <code>{lease.id}</code>
                </dd>
              </>
            )}
          </dl>
        </details>
      </div>
    </li>
  );
}

function Named({ event: { secrets, secrets_total } }: { event: AuditEvent }) {
  const more = (secrets_total ?? secrets.length) - Math.min(secrets.length, MOST);
  return (
    <>
      {secrets.slice(0, MOST).map(({ id, name, scope, version }) => {
        const text = `${name ?? "?"}${version === null ? "" : ` v${version}`}${scope === null ? "" : ` in ${scope}`}`;
        return id === null ? (
          <span key={text}>{text}</span>
        ) : (
          <a key={id} href={hrefOf("/audit", { secret_id: id })}>
            {text}
          </a>
        );
      })}
      {more > 0 && <span class="quiet">and {more} more</span>}
    </>
  );
}
