import type { Scope } from "../../contract/scope.ts";
import type { SecretBody } from "../../contract/secret.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { SecretRow } from "../store/secret-rows.ts";

/** A secret as replies show it, with the entity tag of its current state. */
export interface SecretState {
  readonly body: SecretBody;
  /** A strong entity tag (RFC 9110, section 8.8.3). */
  readonly etag: string;
}

const DAY = 86_400_000;

/** A row as replies show it at `now`. */
export function secretBody(row: SecretRow, now: Date): SecretBody {
  return {
    id: row.id,
    name: row.name as SecretName,
    scope: row.scope as Scope,
    version: row.version,
    description: row.description,
    labels: JSON.parse(row.labels) as Record<string, string>,
    encoding: row.encoding,
    created_at: time(row.created_at),
    created_by: row.created_by,
    updated_at: time(row.updated_at),
    updated_by: row.updated_by,
    expires_at: row.expires_at === null ? null : time(row.expires_at),
    rotate_after_days: row.rotate_after_days,
    rotation_due: row.rotate_after_days !== null && row.rotated_at + row.rotate_after_days * DAY <= now.getTime(),
    last_resolved_at: row.last_resolved_at === null ? null : time(row.last_resolved_at),
  };
}

/** A row as replies show it at `now`, and its entity tag. */
export function secretState(row: SecretRow, now: Date): SecretState {
  return { body: secretBody(row, now), etag: secretEtag(row) };
}

/** The entity tag of a row: the id tells apart secrets that had the same name one after the other. */
export function secretEtag({ id, revision }: Pick<SecretRow, "id" | "revision">): string {
  return `"${id}.${revision}"`;
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
