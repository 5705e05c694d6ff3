import { AwsV4Signer } from "aws4fetch";
import { type AwsStore, STS_AUDIENCE, stsAddress } from "./aws-store.ts";
import { callStore, isSuccess, type StoreReply } from "./call-store.ts";
import { orStandIn } from "./store-address.ts";
import { type DriverNeeds, type StoreCredentials, StoreError, type StoreRefusal } from "./store-driver.ts";
import { type FetchedAccess, withAccess } from "./with-access.ts";

/** What requests are signed with. */
export interface AwsAccess {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string;
}

/** A request to be signed: a POST whose body is text. */
export interface AwsCall {
  readonly url: URL;
  readonly headers: Headers;
  readonly body: string;
  readonly service: "secretsmanager" | "sts";
  readonly region: string;
}

/** How long a role is taken for, in seconds: what AWS gives every role. */
const SESSION = 3_600;

/** What AWS says of whoever it does not know, and of whoever it does; in Secrets Manager's words and in those of STS. */
export const AWS_REFUSALS: Readonly<Record<string, StoreRefusal>> = {
  ...listed(
    "credential",
    "ExpiredToken ExpiredTokenException RequestExpired InvalidClientTokenId UnrecognizedClientException InvalidSignatureException SignatureDoesNotMatch IncompleteSignature IncompleteSignatureException MissingAuthenticationToken MissingAuthenticationTokenException NotAuthorized InvalidIdentityToken IDPRejectedClaim IDPCommunicationError",
  ),
  ...listed("permission", "AccessDenied AccessDeniedException RegionDisabledException OptInRequired DecryptionFailure EncryptionFailure"),
  ...listed("throttled", "Throttling ThrottlingException ThrottledException TooManyRequestsException RequestLimitExceeded SlowDown"),
};

/**
 * Does something with access to AWS: with the keys as they are; with those of a role that the keys take; or, without keys, with
 * those of a role that a token of Keyhole's takes.
 *
 * @throws {StoreError}
 */
export async function withAwsAccess<Result>(
  store: AwsStore,
  credentials: StoreCredentials | undefined,
  needs: DriverNeeds,
  use: (access: AwsAccess) => Promise<Result>,
): Promise<Result> {
  const keys = credentials && keysOf(credentials);
  const { role_arn: role } = store;
  if (keys && role === undefined) return use(keys);
  if (role === undefined) throw new StoreError("credential");
  const url = orStandIn(stsAddress(store.region), needs.standIns?.sts, needs.rules);
  const fetch = () => takeRole({ url, region: store.region, role }, keys, needs);
  return withAccess(needs, { from: ["aws", url.href, role, keys], fetch }, (token) => use(JSON.parse(token) as AwsAccess));
}

/** The headers of a request with its signature (AWS Signature Version 4). */
export async function signAwsCall({ url, headers, body, service, region }: AwsCall, access: AwsAccess, now: number): Promise<Headers> {
  const datetime = new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, "");
  const signer = new AwsV4Signer({ method: "POST", url: url.href, headers, body, service, region, datetime, ...access });
  return (await signer.sign()).headers;
}

interface Role {
  readonly url: URL;
  readonly region: string;
  readonly role: string;
}

/** Takes a role for an hour (https://docs.aws.amazon.com/STS/latest/APIReference/). */
async function takeRole({ url, region, role }: Role, keys: AwsAccess | undefined, needs: DriverNeeds): Promise<FetchedAccess> {
  const asked = { Version: "2011-06-15", RoleArn: role, RoleSessionName: "keyhole", DurationSeconds: String(SESSION) };
  const form = keys
    ? { Action: "AssumeRole", ...asked, ExternalId: needs.externalId }
    : { Action: "AssumeRoleWithWebIdentity", ...asked, WebIdentityToken: await needs.identityToken(STS_AUDIENCE) };
  const body = new URLSearchParams(form).toString();
  const headers = new Headers({ "Content-Type": "application/x-www-form-urlencoded; charset=utf-8" });
  const signed = keys ? await signAwsCall({ url, headers, body, service: "sts", region }, keys, needs.clock()) : headers;
  // A session more or less is nothing: it ends by itself.
  const call = { url, method: "POST", headers: signed, body, repeatable: true, changes: false };
  const reply = await callStore(needs, call, (reply) => AWS_REFUSALS[codeOf(reply)] === "throttled");
  if (!isSuccess(reply)) throw new StoreError(AWS_REFUSALS[codeOf(reply)] ?? (reply.status === 403 ? "permission" : "credential"));
  return readSession(reply, needs.clock());
}

/** The code in an error of STS, whose replies are XML. */
function codeOf({ text }: StoreReply): string {
  return /<Error>\s*(?:<Type>\w+<\/Type>\s*)?<Code>(\w{1,64})<\/Code>/.exec(text)?.[1] ?? "";
}

/** The keys in an answer of STS: their characters need no escapes in XML. */
function readSession({ type, text }: StoreReply, now: number): FetchedAccess {
  const field = (name: string) => new RegExp(`<Credentials>.*?<${name}>\\s*([\\w+/=.:-]{1,8192})\\s*</${name}>.*</Credentials>`, "s").exec(text)?.[1];
  const [accessKeyId, secretAccessKey, sessionToken] = [field("AccessKeyId"), field("SecretAccessKey"), field("SessionToken")];
  const seconds = (Date.parse(field("Expiration") ?? "") - now) / 1000;
  if (!/^(?:text|application)\/xml$/.test(type) || !accessKeyId || !secretAccessKey || !sessionToken || Number.isNaN(seconds)) throw new StoreError("reply");
  return { token: JSON.stringify({ accessKeyId, secretAccessKey, sessionToken } satisfies AwsAccess), seconds };
}

/** What does not look like keys never comes near a header. */
function keysOf(credentials: StoreCredentials): AwsAccess {
  if (!("access_key_id" in credentials)) throw new StoreError("credential");
  const [accessKeyId, secretAccessKey] = [credentials.access_key_id.trim(), credentials.secret_access_key.trim()];
  if (!/^\w{4,128}$/.test(accessKeyId) || !/^[\x21-\x7e]{1,1024}$/.test(secretAccessKey)) throw new StoreError("credential");
  return { accessKeyId, secretAccessKey };
}

function listed(refusal: StoreRefusal, names: string): Record<string, StoreRefusal> {
  return Object.fromEntries(names.split(" ").map((name) => [name, refusal]));
}
