import { originOf } from "./store-address.ts";
import { StoreError } from "./store-driver.ts";

/** Where secrets of AWS Secrets Manager are. */
export interface AwsStore {
  readonly kind: "aws-secrets-manager";
  readonly region: string;
  /** The role to take, as its ARN. */
  readonly role_arn?: string | undefined;
  /** Another address than the region's own. */
  readonly endpoint?: string | undefined;
}

/** The audience by which STS knows a token that is meant for it. */
export const STS_AUDIENCE = "sts.amazonaws.com";

const REGION = /^[a-z]{2,4}(?:-[a-z]+)+-\d{1,2}$/;

/** What the names of AWS's hosts end with where its cloud is one of its own: China's, and the European one. */
const DOMAINS: Readonly<Record<string, string>> = { cn: "amazonaws.com.cn", eusc: "amazonaws.eu" };

/** Where Secrets Manager is asked. @throws {StoreError} `address` */
export function secretsManagerAddress({ region, endpoint }: AwsStore): URL {
  return originOf(endpoint ?? regional("secretsmanager", region));
}

/** Where a role is taken in a region: never at an address that a definition names. @throws {StoreError} `address` */
export function stsAddress(region: string): string {
  return regional("sts", region);
}

function regional(service: string, region: string): string {
  if (!REGION.test(region)) throw new StoreError("address");
  const [partition = ""] = region.split("-");
  return `https://${service}.${region}.${DOMAINS[partition] ?? "amazonaws.com"}`;
}
