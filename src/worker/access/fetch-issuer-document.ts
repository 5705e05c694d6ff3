/** An issuer's document could not be had. The message is for the log and names no secret. */
export class IssuerError extends Error {
  override readonly name = "IssuerError";
}

const MAX_BYTES = 262_144;
const TIMEOUT = 5_000;
/** After a failure an address is left alone for this long, in milliseconds. */
const PAUSE = 10_000;
const KEPT_FAILURES = 1_000;

const failedAt = new Map<string, number>();

/**
 * Fetches a JSON document of an issuer: over https from a public name only (unless `insecure`), without following
 * redirects, at most 256 KiB, within five seconds. An address that failed is not asked again for ten seconds, so
 * nobody can make the Worker hammer it.
 *
 * @throws {IssuerError}
 */
export async function fetchIssuerDocument(address: string, insecure: boolean): Promise<Response> {
  const url = new URL(address);
  if (!insecure) requirePublic(url);
  const failed = failedAt.get(url.href);
  if (failed !== undefined && Date.now() - failed < PAUSE) throw new IssuerError("the issuer failed a moment ago");
  try {
    const reply = await fetch(url, { redirect: "manual", headers: { Accept: "application/json" }, signal: AbortSignal.timeout(TIMEOUT) });
    if (reply.status !== 200) throw new IssuerError(`the issuer answered ${reply.status}`);
    return new Response(await readLimited(reply), { headers: { "Content-Type": "application/json" } });
  } catch (cause) {
    if (failedAt.size >= KEPT_FAILURES) failedAt.clear();
    failedAt.set(url.href, Date.now());
    throw cause instanceof IssuerError ? cause : new IssuerError("the issuer did not answer", { cause });
  }
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
  if (url.protocol !== "https:" || url.username !== "" || url.password !== "" || !name)
    throw new IssuerError("an issuer has an https address with a public name");
}

async function readLimited(reply: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of reply.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_BYTES) throw new IssuerError("the issuer's document is too large");
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
