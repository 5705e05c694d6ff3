import { type IssuerRefusal, RefusalError } from "./refusal.ts";

/** An issuer's document could not be had, or not be used. */
export class IssuerError extends RefusalError<IssuerRefusal> {
  override readonly name = "IssuerError";
}

const MAX_BYTES = 262_144;
const TIMEOUT = 5_000;
/** After a failure an address is not asked again for this long, in milliseconds. */
const PAUSE = 10_000;
const KEPT_FAILURES = 1_000;

const failedAt = new Map<string, number>();

/** How an issuer is reached. */
export interface IssuerAccess {
  /** Whether issuers may have http and private addresses. */
  readonly insecureIssuers: boolean;
  readonly now: Date;
}

/**
 * Fetches a JSON document of an issuer and reads it: over https from a public name only (unless insecure issuers are
 * allowed), without following redirects, at most 256 KiB, within five seconds. An address that failed, or whose
 * document `read` cannot take, is not asked again for ten seconds, so nobody can make the Worker hammer it.
 *
 * @throws {IssuerError}
 */
export async function fetchIssuerDocument<T>(address: string, { insecureIssuers, now }: IssuerAccess, read: (document: unknown) => T): Promise<T> {
  const url = new URL(address);
  if (!insecureIssuers) requirePublic(url);
  const failed = failedAt.get(url.href);
  if (failed !== undefined && now.getTime() - failed < PAUSE) throw new IssuerError("issuer-failed-before");
  try {
    const document = parse(await fetchText(url));
    failedAt.delete(url.href);
    return orRefuse("issuer-document-invalid", () => read(document));
  } catch (error) {
    if (failedAt.size >= KEPT_FAILURES) failedAt.clear();
    failedAt.set(url.href, now.getTime());
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
    const reply = await fetch(url, { redirect: "manual", headers: { Accept: "application/json" }, signal: AbortSignal.timeout(TIMEOUT) });
    if (reply.status === 200) return new TextDecoder().decode(await readLimited(reply));
    await reply.body?.cancel();
  } catch (cause) {
    if (cause instanceof IssuerError) throw cause;
    const late = cause instanceof Error && cause.name === "TimeoutError";
    throw new IssuerError(late ? "issuer-too-slow" : "issuer-unreachable", { cause });
  }
  throw new IssuerError("issuer-wrong-status");
}

/**
 * Refuses an address that could lead into a private network: anything but https on a public DNS name. An IP address
 * is no name, whether private or not, in whatever notation (the URL parser has turned all of them into one).
 *
 * @throws {IssuerError}
 */
export function requirePublic(url: URL): void {
  const host = url.hostname.replace(/\.$/, "");
  const name =
    /^(?:[a-z0-9_-]+\.)+[a-z][a-z0-9-]*$/.test(host) &&
    !/\.(?:localhost|local|localdomain|internal|intranet|lan|home|corp|private|test|invalid|example|onion|arpa)$/.test(host);
  if (url.protocol !== "https:" || url.username !== "" || url.password !== "" || !name) throw new IssuerError("issuer-not-public");
}

async function readLimited(reply: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of reply.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new IssuerError("issuer-document-too-large");
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
