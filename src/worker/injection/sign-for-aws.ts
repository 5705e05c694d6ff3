import { AwsV4Signer } from "aws4fetch";
import { readUpTo } from "../outgoing/read-up-to.ts";
import { type AwsRefusal, readAwsScope } from "./aws-scope.ts";

/** A request for AWS that a client has signed. */
export interface AwsRequest {
  readonly method: string;
  readonly url: URL;
  /** As they are forwarded, without any place of the token. */
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | null;
  /** The client's header `Authorization`. */
  readonly authorization: string | null;
  /** The client's header `X-Amz-Content-Sha256`. */
  readonly contentHash: string | null;
}

/** The credentials to sign with, and for which services. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined;
  readonly services: readonly string[];
}

/** What is sent: the headers with the new signature, and the body. */
export interface SignedAwsRequest {
  readonly headers: Headers;
  readonly body: ReadableStream<Uint8Array> | Uint8Array<ArrayBuffer> | null;
}

/** Up to this size a body is read and hashed where the client has not done so: boto3 does it for few services. */
const MOST_HASHED = 8 * 2 ** 20;
/** Hashes that stand for a body whose bytes no signature covers. */
const UNSIGNED = new Set(["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"]);
const EMPTY_HASH = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/**
 * Signs a request with AWS's Signature Version 4 in the place of its client. What is signed beside method, path and query are the
 * host and AWS's own headers: others may be changed on their way.
 *
 * @returns The request, or why it cannot be signed.
 */
export async function signForAws(
  request: AwsRequest,
  { accessKeyId, secretAccessKey, sessionToken, services }: AwsCredentials,
  now: Date,
): Promise<SignedAwsRequest | AwsRefusal> {
  const { method, url, headers, authorization } = request;
  const scope = readAwsScope(authorization, url, services);
  if (typeof scope === "string") return scope;
  const hashed = await hashOf(request);
  if (typeof hashed === "string") return hashed;
  const signed = new Headers([...headers].filter(([name]) => name.startsWith("x-amz-") || name === "content-md5"));
  for (const name of ["X-Amz-Date", "X-Amz-Security-Token", "Authorization"]) signed.delete(name);
  signed.set("X-Amz-Content-Sha256", hashed.hash);
  const datetime = now.toISOString().replace(/[:-]|\.\d{3}/g, "");
  const session = sessionToken === undefined ? {} : { sessionToken };
  const signer = new AwsV4Signer({ method, url: url.href, headers: signed, accessKeyId, secretAccessKey, ...session, ...scope, datetime });
  const sent = new Headers(headers);
  sent.delete("X-Amz-Security-Token");
  for (const [name, value] of (await signer.sign()).headers) sent.set(name, value);
  return { headers: sent, body: hashed.body };
}

/** Whether a body can be signed of which a client says this in `X-Amz-Content-Sha256`. Each chunk of another one has a signature of its own, which goes on from the one that is dropped. */
export function isSignable(contentHash: string | null): boolean {
  return contentHash === null || /^[0-9a-f]{64}$/.test(contentHash) || UNSIGNED.has(contentHash);
}

async function hashOf({ body, contentHash }: AwsRequest): Promise<{ hash: string; body: SignedAwsRequest["body"] } | AwsRefusal> {
  if (!isSignable(contentHash)) return "streaming-signature";
  if (contentHash !== null) return { hash: contentHash, body };
  if (body === null) return { hash: EMPTY_HASH, body };
  const bytes = await readUpTo(body, MOST_HASHED);
  if (!bytes) return "body-too-large";
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return { hash: digest.toHex(), body: bytes };
}
