import { isInTheClear } from "../../contract/in-the-clear.ts";
import { networkOf } from "../access/network-of.ts";
import { BEARER } from "./middleware/authenticate.ts";
import { vaultTokens } from "./vault/authenticate-vault.ts";
import { readsVaultData } from "./vault/vault-path.ts";

/** The fronts that answer under leases. */
export type LeasingFront = "native" | "vault";

/** A request that may be answered under a lease. */
export interface LeasableRequest {
  readonly front: LeasingFront;
  readonly token: string;
  /** How old the answer may be, in seconds; `null` where the request does not say so: then what the token says counts. */
  readonly maxAge: number | null;
}

/** Conditions and wishes that only a strict answer meets. `If-None-Match` is none of them: any answer has an entity tag. */
const STRICT = ["If-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range", "X-Vault-Wrap-TTL"];
/** The headers beside those of the caller's by which the strict answer to the same path differs. */
const DECIDING: Readonly<Record<LeasingFront, readonly string[]>> = {
  native: ["Content-Type", "Content-Encoding", "CF-Worker"],
  vault: ["X-Vault-Namespace", "CF-Worker"],
};
/** The longest body that is looked at: 100 names and five scopes fit. */
const MAX_BODY = 65_536;

/**
 * What a request asks of a lease; `null` for one that is to be answered strictly. A lease is asked for with
 * `Cache-Control: max-age=N` (RFC 9111, section 5.2.1.1) and by no other directive beside it but `no-transform`; without
 * that header, and without the `Pragma` of before there was one (section 5.4), by the token.
 */
export function leasable(request: Request): LeasableRequest | null {
  const { headers } = request;
  const front = frontOf(request);
  if (front === null || isInTheClear(request.url)) return null;
  const control = headers.get("Cache-Control");
  const maxAge = control === null ? saidByToken(headers) : maxAgeOf(control);
  const [token, another] = front === "vault" ? vaultTokens(headers) : bearerToken(headers);
  if (maxAge === 0 || token === undefined || another !== undefined || STRICT.some((name) => headers.has(name))) return null;
  return { front, token, maxAge };
}

/** The front by which a request would be given values; `null` for none. */
function frontOf({ method, url }: Request): LeasingFront | null {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const path = "/v1/resolve";
  if (!url.startsWith(path, start)) return method === "GET" && readsVaultData(url) ? "vault" : null;
  const next = url[start + path.length];
  const resolves = method === "POST" ? next === undefined || next === "?" : method === "GET" && next === "/";
  return resolves ? "native" : null;
}

function bearerToken(headers: Headers): string[] {
  const [, token] = BEARER.exec(headers.get("Authorization") ?? "") ?? [];
  return token === undefined ? [] : [token];
}

function saidByToken(headers: Headers): null | 0 {
  return headers.has("Pragma") ? 0 : null;
}

/** The seconds of the only directive that there is; 0 for anything else. */
function maxAgeOf(control: string): number {
  const directives = control.split(",").map((directive) => directive.trim().toLowerCase());
  const [only, another] = directives.filter((directive) => directive !== "" && directive !== "no-transform");
  const [, seconds = "0"] = /^max-age="?(\d{1,10})"?$/.exec(only ?? "") ?? [];
  return another === undefined ? Number(seconds) : 0;
}

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A body as text; `null` for one that is too long for a lease, or no text. */
export function bodyText(bytes: ArrayBuffer): string | null {
  if (bytes.byteLength > MAX_BODY) return null;
  try {
    return DECODER.decode(bytes);
  } catch {
    return null;
  }
}

/** Whether a request says that its body is short enough for a lease. That of a GET is read by nobody (RFC 9110, section 9.3.1). */
export function hasShortBody(request: Request): boolean {
  if (!hasBody(request)) return true;
  const length = request.headers.get("Content-Length");
  return length !== null && Number(length) <= MAX_BODY;
}

/** Whether a request has a body that counts. */
export function hasBody({ method, body }: Request): boolean {
  return method !== "GET" && body !== null;
}

/**
 * What a lease is found by: SHA-256 of all that decides the strict answer, and of where the caller is. Base64.
 *
 * @param body As text.
 */
export async function leaseKey(request: Request, { front, token }: LeasableRequest, body: string): Promise<string> {
  const { method, url, headers } = request;
  const caller = [networkOf(headers.get("CF-Connecting-IP")), headers.get("User-Agent")];
  const what = ["keyhole/lease/1", front, method, url, body, token, ...caller, ...DECIDING[front].map((name) => headers.get(name))];
  return new Uint8Array(await crypto.subtle.digest("SHA-256", ENCODER.encode(JSON.stringify(what)))).toBase64();
}
