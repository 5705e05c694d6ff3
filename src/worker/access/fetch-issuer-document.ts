import { isPublicHost } from "../../contract/hosts.ts";
import { fetchOutward } from "../outgoing/fetch-outward.ts";
import { OutgoingError } from "../outgoing/outgoing-error.ts";
import { readUpTo } from "../outgoing/read-up-to.ts";
import { keepLatest } from "./keep-latest.ts";
import { type IssuerRefusal, RefusalError } from "./refusal.ts";

/** An issuer's document could not be had, or not be used. */
export class IssuerError extends RefusalError<IssuerRefusal> {
  override readonly name = "IssuerError";
  /** Whether the issuer is at fault for everybody: it did not answer, or said that it cannot. */
  get unreachable(): boolean {
    return UNREACHABLE.has(this.refusal);
  }
}

const UNREACHABLE: ReadonlySet<IssuerRefusal> = new Set(["issuer-unreachable", "issuer-too-slow", "issuer-error"]);

const MAX_BYTES = 262_144;
const TIMEOUT = 5_000;
/** For how long an issuer that did not answer is not asked again, in milliseconds. */
const PAUSE = 10_000;
/** The same of one that answered with something else than was wanted: long enough that nobody can have the Worker hammer an address. */
const SHORT_PAUSE = 1_000;
const KEPT_FAILURES = 1_000;

/** Until when which document is not asked for, in milliseconds since 1970. */
export type Pauses = Map<string, number>;

/** How an issuer is reached. */
export interface IssuerAccess {
  /** Whether issuers may have http and private addresses. */
  readonly insecureIssuers: boolean;
  /** Whether, and where, this deployment is an issuer itself: not of anything that is taken here. */
  readonly provider: { readonly publicUrl: string } | null;
  readonly now: Date;
}

/** What an issuer is asked for: for the issuer of exactly this name, and nobody else's sake. */
export interface IssuerDocument {
  readonly issuer: string;
  readonly role: "configuration" | "keys";
  readonly address: string;
}

/** What is kept of an issuer's document is kept under this: two organizations share it only where they want the very same. */
export function documentKey({ issuer, role, address }: IssuerDocument): string {
  return JSON.stringify([issuer, role, address]);
}

/**
 * Fetches a JSON document of an issuer and reads it: over https from a public name only (unless insecure issuers are
 * allowed), without following redirects, at most 256 KiB, within five seconds. After a failure the same document is not
 * asked for again for a while: ten seconds when the issuer could not be reached, one when `read` cannot take what it gave.
 *
 * @param pauses Where that is kept in mind, of up to 1,000 documents.
 * @throws {IssuerError}
 */
export async function fetchIssuerDocument<T>(
  wanted: IssuerDocument,
  { insecureIssuers, now }: IssuerAccess,
  pauses: Pauses,
  read: (document: unknown) => T,
): Promise<T> {
  const url = new URL(wanted.address);
  if (!insecureIssuers) requirePublic(url);
  const key = documentKey(wanted);
  if ((pauses.get(key) ?? 0) > now.getTime()) throw new IssuerError("issuer-failed-before");
  try {
    const document = parse(await fetchText(url));
    pauses.delete(key);
    return orRefuse("issuer-document-invalid", () => read(document));
  } catch (error) {
    keepLatest(pauses, key, now.getTime() + (error instanceof IssuerError && error.unreachable ? PAUSE : SHORT_PAUSE), KEPT_FAILURES);
    throw error;
  }
}

function parse(text: string): unknown {
  return orRefuse("issuer-document-not-json", () => JSON.parse(text));
}

/** Whatever goes wrong in reading what an issuer gave is the issuer's fault. */
function orRefuse<T>(refusal: IssuerRefusal, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw cause instanceof IssuerError ? cause : new IssuerError(refusal, { cause });
  }
}

async function fetchText(url: URL): Promise<string> {
  try {
    const headers = new Headers({ Accept: "application/json" });
    const reply = await fetchOutward({ url, method: "GET", headers, body: null, firstByte: TIMEOUT, whole: TIMEOUT });
    if (reply.status === 200) return new TextDecoder().decode(await readLimited(reply));
    await reply.body?.cancel();
    throw new IssuerError(reply.status >= 500 || reply.status === 429 ? "issuer-error" : "issuer-wrong-status");
  } catch (cause) {
    if (cause instanceof IssuerError) throw cause;
    const late =
      cause instanceof OutgoingError ? cause.refusal === "too-slow" || cause.refusal === "ended" : cause instanceof Error && cause.name === "TimeoutError";
    throw new IssuerError(late ? "issuer-too-slow" : "issuer-unreachable", { cause });
  }
}

/**
 * Refuses an address that could lead into a private network: anything but https on a public DNS name. An IP address
 * is no name, whether private or not, in whatever notation (the URL parser has turned all of them into one).
 *
 * @throws {IssuerError}
 */
export function requirePublic(url: URL): void {
  const name = url.hostname.replace(/\.$/, "");
  if (url.protocol !== "https:" || url.username !== "" || url.password !== "" || !isPublicHost(name)) throw new IssuerError("issuer-not-public");
}

async function readLimited({ body }: Response): Promise<Uint8Array> {
  const bytes = await readUpTo(body, MAX_BYTES);
  if (!bytes) throw new IssuerError("issuer-document-too-large");
  return bytes;
}
