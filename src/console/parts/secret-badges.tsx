import type { SecretBody } from "../../client/create-client.ts";
import { relativeTime } from "../times.ts";

/** What is to be known of a secret at a glance: what is due, locked, deleted, elsewhere, and its labels. */
export function SecretBadges({ secret }: { secret: SecretBody }) {
  const { expires_at, rotation_due, locked, variable, source, deleted_at, deleted_until, labels } = secret;
  const expired = expires_at !== null && Date.parse(expires_at) <= Date.now();
  return (
    <span class="badges">
      {deleted_at !== null && <span class="badge bad">deleted{deleted_until && `, can come back ${relativeTime(deleted_until)}`}</span>}
      {expired && <span class="badge bad">expired {relativeTime(expires_at)}</span>}
      {expires_at !== null && !expired && <span class="badge">expires {relativeTime(expires_at)}</span>}
      {rotation_due && <span class="badge warn">rotation due</span>}
      {locked && <span class="badge warn">locked</span>}
      {!variable && <span class="badge">no variable</span>}
      {source && <span class="badge">from {source.store}</span>}
      {Object.entries(labels).map(([key, value]) => (
        <span key={key} class="badge">
          {key}: {value}
        </span>
      ))}
    </span>
  );
}
