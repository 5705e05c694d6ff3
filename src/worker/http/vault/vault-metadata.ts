import { formatTime } from "../../../contract/time.ts";

/** A version, as metadata lists it. Times are milliseconds since 1970. */
interface ListedVersion {
  readonly version: number;
  readonly createdAt: number;
  /** `null` where it is not deleted. */
  readonly deletedAt: number | null;
  readonly destroyed: boolean;
}

/** What is said of a secret, or of an object, and of its versions. */
export interface Described {
  readonly current: number;
  /** The first that is known. */
  readonly oldest: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly customMetadata: Readonly<Record<string, string>> | null;
  readonly versions: readonly ListedVersion[];
  /** How many are kept. */
  readonly maxVersions: number;
}

/** Metadata as Vault writes it. */
export function vaultMetadata({ current, oldest, createdAt, updatedAt, customMetadata, versions, maxVersions }: Described) {
  const listed = versions.map(({ version, createdAt, deletedAt, destroyed }) => [
    version,
    { created_time: formatTime(createdAt), deletion_time: formatTime(deletedAt) ?? "", destroyed },
  ]);
  return {
    cas_required: false,
    created_time: formatTime(createdAt),
    current_version: current,
    custom_metadata: customMetadata,
    delete_version_after: "0s",
    max_versions: maxVersions,
    oldest_version: oldest,
    updated_time: formatTime(updatedAt),
    versions: Object.fromEntries(listed) as Record<string, unknown>,
  };
}
