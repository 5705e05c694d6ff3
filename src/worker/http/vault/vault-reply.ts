import { formatTime } from "../../../contract/time.ts";
import type { ObjectState } from "../../objects/object.ts";

/** What a reply says of a login or a new token. */
type AuthReply = Readonly<Record<string, unknown>>;

/** A reply, in its parts; what is left out is `null`. */
export interface VaultReply {
  readonly requestId: string;
  /** As JSON text: a value in it stands as it was given. */
  readonly data?: string;
  readonly warnings?: readonly string[];
  readonly auth?: AuthReply;
}

/** A reply as Vault writes it. Nothing that leaves is renewable: a lease of Keyhole's own shows in the audit log only. */
export function vaultReplyText({ requestId, data = "null", warnings = [], auth }: VaultReply): string {
  const before = JSON.stringify({ request_id: requestId, lease_id: "", renewable: false, lease_duration: 0 }).slice(0, -1);
  const after = JSON.stringify({ wrap_info: null, warnings: warnings.length > 0 ? warnings : null, auth: auth ?? null, mount_type: "kv" }).slice(1);
  return `${before},"data":${data},${after}`;
}

/** What a reply says of a version. */
export interface VersionFacts {
  readonly version: number;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970; left out where it is there. */
  readonly deletedAt?: number;
  readonly customMetadata?: Readonly<Record<string, string>> | null;
}

/** A version's metadata, as reads and writes show it. */
export function versionMetadata({ version, createdAt, deletedAt, customMetadata = null }: VersionFacts) {
  const deletion = deletedAt === undefined ? "" : formatTime(deletedAt);
  return { created_time: formatTime(createdAt), custom_metadata: customMetadata, deletion_time: deletion, destroyed: false, version };
}

/** What a reply says of an object of which nothing is left: it was deleted with its last write. `undefined` where there never was one. */
export function deletionFacts({ revision, revisedAt, customMetadata }: ObjectState): (VersionFacts & { readonly deletedAt: number }) | undefined {
  if (revision === 0 || revisedAt === null) return undefined;
  return { version: revision, createdAt: revisedAt, deletedAt: revisedAt, customMetadata: orNull(customMetadata) };
}

/** `custom_metadata`, which is `null` where there is none. */
export function orNull(metadata: Readonly<Record<string, string>>): Readonly<Record<string, string>> | null {
  return Object.keys(metadata).length > 0 ? metadata : null;
}
