import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

const sha256 = (text: string | Buffer) => createHash("sha256").update(text).digest("hex");
const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const encoded = (text: string) => encodeURIComponent(text).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);

/**
 * Whether a request for S3 has the signature of a key pair, worked out as S3 does
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html): the path decoded and encoded once, the body by its hash.
 */
export function isSignedWith({ id, secret }: { readonly id: string; readonly secret: string }, request: IncomingMessage, body: Buffer): boolean {
  const [, keyId, date = "", region = "", service = "", names = "", signature = ""] =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      request.headers.authorization ?? "",
    ) ?? [];
  if (keyId !== id || !names.split(";").includes("host")) return false;
  const [path = "", query = ""] = (request.url ?? "").split("?");
  const parameters = [...new URLSearchParams(query.replaceAll("+", "%2B"))].map(([name, value]) => `${encoded(name)}=${encoded(value)}`).sort();
  const hash = String(request.headers["x-amz-content-sha256"]);
  if (/^[0-9a-f]{64}$/.test(hash) && hash !== sha256(body)) return false;
  const canonical = [
    request.method,
    path
      .split("/")
      .map((segment) => encoded(decodeURIComponent(segment)))
      .join("/"),
    parameters.join("&"),
    ...names.split(";").map((name) => `${name}:${String(request.headers[name]).trim()}`),
    "",
    names,
    hash,
  ].join("\n");
  const scope = `${date}/${region}/${service}/aws4_request`;
  const toSign = ["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, sha256(canonical)].join("\n");
  const key = [date, region, service, "aws4_request"].reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secret}`);
  return timingSafeEqual(hmac(key, toSign), Buffer.from(signature, "hex"));
}
