import { Problem } from "../../contract/problem.ts";
import type { ServiceDefinition } from "../../contract/service.ts";
import { type AwsRefusal, readAwsScope } from "../injection/aws-scope.ts";
import { type AwsCredentials, isSignable, type SignedAwsRequest, signForAws } from "../injection/sign-for-aws.ts";
import type { OutgoingCall } from "../outgoing/fetch-outward.ts";

/** Why a request cannot be signed anew, for its caller. */
const REFUSALS: Readonly<
  Record<AwsRefusal, readonly [code: "invalid-request" | "use-not-allowed" | "signature-unsupported" | "body-too-large", detail: string]>
> = {
  "not-signed": [
    "invalid-request",
    "The request is not signed: have an SDK of AWS sign it with any credentials and the token as its session token. Region and service are read from that.",
  ],
  presigned: ["signature-unsupported", "A presigned URL has its signature in its query: send the request with its signature in a header."],
  "other-algorithm": ["signature-unsupported", "Only AWS4-HMAC-SHA256 is signed anew."],
  "other-service": ["use-not-allowed", "The service does not sign for this service of AWS."],
  "other-region": ["use-not-allowed", "The request is signed for another region than its address has."],
  "streaming-signature": [
    "signature-unsupported",
    "A body whose parts are signed one by one cannot be signed anew: have the SDK send it whole (payload signing off, or a body of a known length; for S3 requestChecksumCalculation WHEN_REQUIRED).",
  ],
  "body-too-large": ["body-too-large", "A body without x-amz-content-sha256 is read to be signed, and has at most 8 MiB then."],
};

/**
 * Refuses a request that could not be signed, before anything is read or on record.
 *
 * @throws {Problem} `invalid-request`, `use-not-allowed`, `signature-unsupported`.
 */
export function requireSignature({ inject }: Pick<ServiceDefinition, "inject">, url: URL, headers: Headers): void {
  for (const injection of inject) {
    if (injection.in !== "aws-sigv4") continue;
    const scope = readAwsScope(headers.get("Authorization"), url, injection.services);
    if (typeof scope === "string") throw refusalOf(scope);
    if (!isSignable(headers.get("X-Amz-Content-Sha256"))) throw refusalOf("streaming-signature");
  }
}

/**
 * Signs what is sent in the place of its client.
 *
 * @param from The headers of the client's request.
 * @param call What is sent, without a signature.
 * @throws {Problem} what {@link requireSignature} refuses, and `body-too-large`.
 */
export async function signRequest(
  from: Headers,
  call: Pick<OutgoingCall, "method" | "url" | "headers"> & { readonly body: ReadableStream<Uint8Array> | null },
  credentials: AwsCredentials,
  now: Date,
): Promise<SignedAwsRequest> {
  const signed = await signForAws({ ...call, authorization: from.get("Authorization"), contentHash: from.get("X-Amz-Content-Sha256") }, credentials, now);
  if (typeof signed === "string") throw refusalOf(signed);
  return signed;
}

function refusalOf(refusal: AwsRefusal): Problem {
  const [code, detail] = REFUSALS[refusal];
  return new Problem(code, detail);
}
