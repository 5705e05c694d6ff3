/** A key pair, as AWS knows it. */
export interface AwsKey {
  readonly id: string;
  readonly secret: string;
  /** Of temporary keys. */
  readonly session?: string;
  /** When they end, in milliseconds since 1970. */
  readonly until?: number;
}

/** What a request says of its signature. */
export interface AwsSignature {
  readonly keyId: string;
  readonly region: string;
  readonly service: string;
  /** `X-Amz-Date`, in milliseconds since 1970. */
  readonly signedAt: number;
}

const AUTHORIZATION = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/;
const bytesOf = (text: string) => new TextEncoder().encode(text);
const sha256 = async (bytes: Uint8Array<ArrayBuffer>) => hex(await crypto.subtle.digest("SHA-256", bytes));
const hex = (bytes: ArrayBuffer) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function hmac(key: Uint8Array<ArrayBuffer>, text: string): Promise<Uint8Array<ArrayBuffer>> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, bytesOf(text) as Uint8Array<ArrayBuffer>));
}

/** Reads what a request says of its signature; `undefined` where it has none. */
export function readAwsSignature(request: Request): AwsSignature | undefined {
  const [, keyId = "", , region = "", service = ""] = AUTHORIZATION.exec(request.headers.get("Authorization") ?? "") ?? [];
  const date = request.headers.get("X-Amz-Date") ?? "";
  if (keyId === "") return undefined;
  return { keyId, region, service, signedAt: Date.parse(date.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5")) };
}

/** Whether a request whose path is `/` has the signature of a key, worked out as AWS does (Signature Version 4). */
export async function isSignedWith({ secret }: AwsKey, request: Request, body: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const [, , date = "", region = "", service = "", names = "", signature = ""] = AUTHORIZATION.exec(request.headers.get("Authorization") ?? "") ?? [];
  const url = new URL(request.url);
  const signed = names.split(";");
  const must = ["host", "x-amz-date", ...["x-amz-target", "x-amz-security-token"].filter((name) => request.headers.has(name))];
  if (url.pathname !== "/" || url.search !== "" || !must.every((name) => signed.includes(name))) return false;
  const headers = signed.map((name) => `${name}:${name === "host" ? url.host : request.headers.get(name)?.trim()}`);
  const canonical = [request.method, "/", "", ...headers, "", names, await sha256(body)].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const hash = await sha256(bytesOf(canonical) as Uint8Array<ArrayBuffer>);
  let key = bytesOf(`AWS4${secret}`) as Uint8Array<ArrayBuffer>;
  for (const part of [date, region, service, "aws4_request"]) key = await hmac(key, part);
  const expected = await hmac(key, ["AWS4-HMAC-SHA256", request.headers.get("X-Amz-Date"), scope, hash].join("\n"));
  return hex(expected.buffer) === signature;
}
