/** What a request of AWS's clients says of itself. */
export interface AwsScope {
  readonly region: string;
  readonly service: string;
}

/** Why a request cannot be signed anew. */
export type AwsRefusal = "not-signed" | "presigned" | "other-algorithm" | "other-service" | "other-region" | "streaming-signature" | "body-too-large";

const CREDENTIAL = /^AWS4-HMAC-SHA256\s+(?:.*,\s*)?Credential=[^/,\s]+\/\d{8}\/([a-z0-9-]{1,40})\/([a-z0-9-]{1,40})\/aws4_request(?:\s*,|\s*$)/;
/** A region in a host's name: one label, as in `s3.eu-central-1.amazonaws.com`. */
const REGION = /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/;
const OF_AWS = /\.amazonaws\.com(?:\.cn)?$|\.api\.aws$|\.on\.aws$/;
/** Where services are that have no region in their name. */
const GLOBAL_REGION: Readonly<Record<string, string>> = { cn: "cn-north-1", com: "us-east-1", aws: "us-east-1" };

/**
 * Reads region and service from the credential scope in a client's signature, which is then dropped. They have to be the
 * origin's: one of the services that its definition names, and the region in its host's name.
 */
export function readAwsScope(authorization: string | null, url: URL, services: readonly string[]): AwsScope | AwsRefusal {
  if (url.searchParams.has("X-Amz-Signature")) return "presigned";
  if (authorization === null) return "not-signed";
  if (/^AWS4-(?!HMAC-SHA256\s)/.test(authorization)) return "other-algorithm";
  const [, region, service] = CREDENTIAL.exec(authorization) ?? [];
  if (region === undefined || service === undefined) return "not-signed";
  if (!services.includes(service)) return "other-service";
  return isRegionOf(url.hostname, region) ? { region, service } : "other-region";
}

/** Whether a host is one of AWS's own. */
export function isOfAws(host: string): boolean {
  return OF_AWS.test(host);
}

function isRegionOf(host: string, region: string): boolean {
  // What speaks AWS's language elsewhere has a region of its own choice, as R2 has `auto`.
  if (!isOfAws(host)) return true;
  const labels = host.split(".");
  const named = labels.find((label) => REGION.test(label)) ?? GLOBAL_REGION[labels.at(-1) ?? ""];
  return named === region;
}
