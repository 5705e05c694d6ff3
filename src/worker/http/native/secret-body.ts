import type { Scope } from "../../../contract/scope.ts";
import { type SecretBody, shownEncoding } from "../../../contract/secret.ts";
import { metadataFromColumns } from "../../../contract/secret-metadata.ts";
import type { SecretName } from "../../../contract/secret-name.ts";
import { type KeptSource, shownSource } from "../../../contract/source.ts";
import { formatTime } from "../../../contract/time.ts";
import type { SecretRow } from "../../secrets/get-secret.ts";

const DAY = 86_400_000;

/** A row as replies show it at `now`, with where its value comes from. */
export function secretBody(row: SecretRow, now: Date, source: KeptSource | null): SecretBody {
  return {
    id: row.id,
    name: row.name as SecretName,
    scope: row.scope as Scope,
    version: row.version,
    ...metadataFromColumns(row),
    encoding: shownEncoding(row.encoding),
    source: source && shownSource(source),
    created_at: formatTime(row.created_at),
    created_by: row.created_by,
    updated_at: formatTime(row.updated_at),
    updated_by: row.updated_by,
    rotation_due: row.rotate_after_days !== null && row.rotated_at + row.rotate_after_days * DAY <= now.getTime(),
    last_resolved_at: formatTime(row.last_resolved_at),
    deleted_at: formatTime(row.deleted_at),
    deleted_until: formatTime(row.deleted_until),
  };
}

/** The entity tag of a row: the id tells apart secrets that had the same name one after the other. */
export function secretEtag({ id, revision }: Pick<SecretRow, "id" | "revision">): string {
  return `"${id}.${revision}"`;
}

/** The state that an entity tag names, or `undefined` when it is none of {@link secretEtag}'s. */
export function parseSecretEtag(tag: string): { id: string; revision: number } | undefined {
  const [, id = "", digits] = /^"([\w-]+)\.(\d{1,15})"$/.exec(tag) ?? [];
  const state = { id, revision: Number(digits) };
  return secretEtag(state) === tag ? state : undefined;
}
