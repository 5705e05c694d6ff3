import { MOUNT_NAMES, orgSchema } from "../../../contract/org-name.ts";
import { invalid } from "../../../contract/problem.ts";

/** The path of a request of Vault's wire, decoded once. */
export interface VaultPath {
  /** The organization that stands before the mount; `null` for none. */
  readonly org: string | null;
  /** What follows `/v1/` and the organization. `null` stands for one that cannot be decoded. */
  readonly segments: readonly (string | null)[];
}

const MOUNTS: ReadonlySet<string> = new Set(MOUNT_NAMES);

/** Whether a path is one of Vault's wire: below a mount, before which an organization may stand. */
export function isVaultPath(path: string): boolean {
  const [, version, first = "", second = ""] = path.split("/");
  if (version !== "v1") return false;
  return MOUNTS.has(first) || (MOUNTS.has(second) && orgSchema.safeParse(first).success);
}

/** The path in an address, as it was sent: nothing in it is resolved. */
const PATH = /^[a-z]+:\/\/[^/?#]*\/v1\/([^?#]*)/i;

/** The path of a request. A `/` at its end says nothing. */
export function vaultPath(url: string): VaultPath {
  const [, path = ""] = PATH.exec(url) ?? [];
  const segments = path.replace(/\/$/, "").split("/").map(decode);
  const [first] = segments;
  return typeof first === "string" && MOUNTS.has(first) ? { org: null, segments } : { org: first ?? "", segments: segments.slice(1) };
}

function decode(segment: string): string | null {
  try {
    return decodeURIComponent(segment);
  } catch {
    return null;
  }
}

/** Of each mount the operations that go on with a path. */
const WITH_PATH: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ["secret", new Set(["data", "metadata", "subkeys", "delete", "undelete", "destroy"])],
  ["kv", new Set(["data", "metadata", "subkeys", "delete", "undelete", "destroy"])],
  ["env", new Set(["data"])],
]);
const UI_MOUNTS = ["sys", "internal", "ui", "mounts"];

/**
 * What the router goes by: the path, in which one `path` stands for all segments that name what a call is about, however
 * many they are.
 */
export function routedPath(url: string): string {
  const { segments } = vaultPath(url);
  const [mount = "", operation = ""] = segments;
  // A method may be mounted at a path of several segments.
  if (mount === "auth" && segments.length > 3 && segments.at(-1) === "login") return "/v1/auth/path/login";
  const fixed = fixedSegments(mount, operation, segments);
  const known = segments.slice(0, fixed).map((segment) => encodeURIComponent(segment ?? "%"));
  return `/v1/${[...known, ...(segments.length > fixed ? ["path"] : [])].join("/")}`;
}

function fixedSegments(mount: string | null, operation: string | null, segments: VaultPath["segments"]): number {
  if (mount !== null && operation !== null && WITH_PATH.get(mount)?.has(operation)) return 2;
  return UI_MOUNTS.every((name, n) => segments[n] === name) ? UI_MOUNTS.length : segments.length;
}

/**
 * The segments of a path after so many, as names.
 *
 * @throws {Problem} `invalid-request` when one is empty, `.` or `..`, holds a `/`, or cannot be decoded.
 */
export function namedSegments({ segments }: VaultPath, after: number): string[] {
  return segments.slice(after).map((segment) => {
    if (segment === null) throw invalid("path", "a % is followed by two hexadecimal digits, and what they say is UTF-8");
    if (segment === "" || segment === "." || segment === "..") throw invalid("path", "no segment of a path is empty, '.' or '..'");
    if (segment.includes("/")) throw invalid("path", "a segment of a path holds no encoded '/'");
    return segment;
  });
}

/** Whether a GET of an address reads values. */
export function readsVaultData(url: string): boolean {
  const { segments } = vaultPath(url);
  const [mount = "", operation] = segments;
  return operation === "data" && mount !== null && WITH_PATH.get(mount)?.has("data") === true && segments.length > 2;
}
