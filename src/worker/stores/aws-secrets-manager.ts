import * as z from "zod";
import { AWS_REFUSALS, signAwsCall, withAwsAccess } from "./aws-access.ts";
import { type AwsStore, secretsManagerAddress } from "./aws-store.ts";
import { callStore, isSuccess, jsonOf, readJson, type StoreReply } from "./call-store.ts";
import {
  type DriverNeeds,
  type StoreCredentials,
  type StoreDriver,
  type StoredValue,
  StoreError,
  type StorePage,
  type StoreRefusal,
  type StoreVersion,
  type StoreWrite,
} from "./store-driver.ts";
import { bytesOf, bytesOfBase64, textOf } from "./value-bytes.ts";

/** Names as AWS has them. An ARN, which could name another account's secret, is none: it has colons. */
const NAME = /^[\w/+=.@-]{1,512}$/;
const VERSION = /^[\w-]{32,64}$/;
/** The largest value, in bytes. */
const MOST = 65_536;
const PAGE = 100;
/** The label of a version that is not current yet. A secret has one at the most. */
const PENDING = "KEYHOLEPENDING";

const REFUSALS: Readonly<Record<string, StoreRefusal>> = {
  ...AWS_REFUSALS,
  ResourceExistsException: "conflict",
  LimitExceededException: "too-large",
  InvalidParameterException: "name",
  ValidationException: "name",
  InvalidNextTokenException: "name",
  // What is left of it when a deletion is ruled out: a secret that another service manages.
  InvalidRequestException: "permission",
};

const valueSchema = z.object({
  Name: z.string(),
  VersionId: z.string().regex(VERSION),
  SecretString: z.string().optional(),
  SecretBinary: z.string().optional(),
});
const writtenSchema = z.object({ VersionId: z.string().regex(VERSION) });
const describedSchema = z.object({
  DeletedDate: z.number().nullish(),
  VersionIdsToStages: z.record(z.string(), z.array(z.string())).nullish(),
});
const listSchema = z.object({ SecretList: z.array(z.object({ Name: z.string() })), NextToken: z.string().min(1).max(4096).nullish() });

/** A reply, or the error that the caller has expected. */
type Answer = { readonly reply: StoreReply; readonly error?: undefined } | { readonly error: string };
type Ask = (action: string, body: object, expected?: readonly string[]) => Promise<Answer>;

/**
 * AWS Secrets Manager (https://docs.aws.amazon.com/secretsmanager/latest/apireference/). A version's id is the operation that
 * has written it. What is text is a `SecretString`, other bytes are a `SecretBinary`. A deletion can be taken back for 30 days.
 */
export function openAwsSecretsManager(store: AwsStore, credentials: StoreCredentials | undefined, needs: DriverNeeds): StoreDriver {
  const url = secretsManagerAddress(store);
  const ask: Ask = (action, body, expected = []) =>
    withAwsAccess(store, credentials, needs, async (access) => {
      const headers = new Headers({ "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": `secretsmanager.${action}` });
      const request = { url, headers, body: JSON.stringify(body), service: "secretsmanager", region: store.region } as const;
      const call = { url, method: "POST", headers: await signAwsCall(request, access, needs.clock()), body: request.body, repeatable: true };
      return answerOf(await callStore(needs, call, (reply) => REFUSALS[errorOf(reply)] === "throttled"), expected);
    });
  return {
    get: (key, version) => get(ask, key, version),
    put: (key, value, write) => put(ask, key, value, write),
    list: (prefix, cursor) => list(ask, prefix, cursor),
    delete: (key) => remove(ask, key),
  };
}

async function get(ask: Ask, key: string, version: string | undefined): Promise<StoredValue | undefined> {
  requireName(key);
  if (version !== undefined && !VERSION.test(version)) return undefined;
  const which = version === undefined ? { VersionStage: "AWSCURRENT" } : { VersionId: version };
  const answer = await ask("GetSecretValue", { SecretId: key, ...which }, ["ResourceNotFoundException", "InvalidRequestException"]);
  if (answer.error === "InvalidRequestException") await requireDeleted(ask, key);
  if (answer.error !== undefined) return undefined;
  const { Name, VersionId, SecretString, SecretBinary } = readJson(answer.reply, valueSchema);
  const value = SecretString === undefined ? bytesOfBase64(SecretBinary ?? "?") : bytesOf(SecretString);
  if (Name !== key || !value || (version !== undefined && version !== VersionId)) throw new StoreError("reply");
  return { value, version: VersionId };
}

async function put(ask: Ask, key: string, value: Uint8Array, { operation, ifVersion }: StoreWrite): Promise<StoreVersion> {
  requireName(key);
  if (value.byteLength > MOST) throw new StoreError("too-large");
  const text = textOf(value);
  const content = { ClientRequestToken: operation, ...(text === undefined ? { SecretBinary: value.toBase64() } : { SecretString: text }) };
  if (typeof ifVersion === "string") return replace(ask, key, content, ifVersion);
  if (ifVersion === undefined) {
    const answer = await ask("PutSecretValue", { SecretId: key, ...content }, ["ResourceNotFoundException", "InvalidRequestException"]);
    if (answer.error === undefined) return versionOf(answer.reply);
    if (answer.error === "InvalidRequestException") return refuseDeleted(ask, key);
  }
  return create(ask, key, content, ifVersion === null);
}

interface Content {
  readonly ClientRequestToken: string;
}

/** Makes a secret. One that has no current value is no more than a name, and is given this one. */
async function create(ask: Ask, key: string, content: Content, alone: boolean): Promise<StoreVersion> {
  const answer = await ask("CreateSecret", { Name: key, ...content }, ["ResourceExistsException", "InvalidRequestException"]);
  if (answer.error === undefined) return versionOf(answer.reply);
  const { deleted, current, was } = await describe(ask, key, content.ClientRequestToken);
  if (deleted) throw new StoreError("deleted-name");
  if (was) return { version: content.ClientRequestToken };
  if (alone && current !== undefined) throw new StoreError("conflict");
  return versionOf(orThrow(await ask("PutSecretValue", { SecretId: key, ...content })));
}

/**
 * Writes a version, and makes it current in the place of `from` alone: AWS moves the label only from the version that is said to
 * have it.
 */
async function replace(ask: Ask, key: string, content: Content, from: string): Promise<StoreVersion> {
  const version = content.ClientRequestToken;
  if (!VERSION.test(from)) throw new StoreError("conflict");
  const wanted = { SecretId: key, ...content, VersionStages: [PENDING] };
  const answer = await ask("PutSecretValue", wanted, ["ResourceNotFoundException", "InvalidRequestException"]);
  if (answer.error === "InvalidRequestException") return refuseDeleted(ask, key);
  if (answer.error !== undefined) throw new StoreError("conflict");
  const move = { SecretId: key, VersionStage: "AWSCURRENT", MoveToVersionId: version, RemoveFromVersionId: from };
  const moved = await ask("UpdateSecretVersionStage", move, ["InvalidParameterException"]);
  const isMoved = moved.error === undefined || (await describe(ask, key, version)).was;
  // Without a label a version is given up, and AWS deletes it.
  await ask("UpdateSecretVersionStage", { SecretId: key, VersionStage: PENDING, RemoveFromVersionId: version }, ["InvalidParameterException"]);
  if (!isMoved) throw new StoreError("conflict");
  return { version };
}

async function list(ask: Ask, prefix: string, cursor: string | undefined): Promise<StorePage> {
  const filters = prefix === "" ? {} : { Filters: [{ Key: "name", Values: [prefix] }] };
  const reply = orThrow(await ask("ListSecrets", { MaxResults: PAGE, NextToken: cursor, ...filters }));
  const { SecretList, NextToken } = readJson(reply, listSchema);
  // AWS compares word by word, and not always the case: what it gives is looked at again.
  const keys = SecretList.map(({ Name }) => Name).filter((name) => name.startsWith(prefix));
  return { keys, ...(NextToken ? { next: NextToken } : {}) };
}

async function remove(ask: Ask, key: string): Promise<boolean> {
  requireName(key);
  // A secret that waits for its deletion takes another one without a word.
  if ((await describe(ask, key, "")).deleted !== false) return false;
  const answer = await ask("DeleteSecret", { SecretId: key }, ["ResourceNotFoundException", "InvalidRequestException"]);
  if (answer.error === "InvalidRequestException") await requireDeleted(ask, key);
  return answer.error === undefined;
}

interface Described {
  /** Whether it waits for its deletion; `undefined` where there is no such secret. */
  readonly deleted?: boolean;
  readonly current?: string;
  /** Whether `version` is current, or was before. */
  readonly was: boolean;
}

async function describe(ask: Ask, key: string, version: string): Promise<Described> {
  const answer = await ask("DescribeSecret", { SecretId: key }, ["ResourceNotFoundException"]);
  if (answer.error !== undefined) return { was: false };
  const { DeletedDate, VersionIdsToStages } = readJson(answer.reply, describedSchema);
  const stages = Object.entries(VersionIdsToStages ?? {});
  const [current] = stages.find(([, labels]) => labels.includes("AWSCURRENT")) ?? [];
  const was = stages.some(([id, labels]) => id === version && (labels.includes("AWSCURRENT") || labels.includes("AWSPREVIOUS")));
  return { deleted: typeof DeletedDate === "number", ...(current !== undefined && { current }), was };
}

async function refuseDeleted(ask: Ask, key: string): Promise<never> {
  await requireDeleted(ask, key);
  throw new StoreError("deleted-name");
}

/** An error that AWS has for several things: it is looked up whether it means this one. */
async function requireDeleted(ask: Ask, key: string): Promise<void> {
  if (!(await describe(ask, key, "")).deleted) throw new StoreError("permission");
}

function requireName(key: string): void {
  if (!NAME.test(key)) throw new StoreError("name");
}

function versionOf(reply: StoreReply): StoreVersion {
  return { version: readJson(reply, writtenSchema).VersionId };
}

function orThrow(answer: Answer): StoreReply {
  if (answer.error !== undefined) throw new StoreError("reply");
  return answer.reply;
}

function answerOf(reply: StoreReply, expected: readonly string[]): Answer {
  if (isSuccess(reply)) return { reply };
  const error = errorOf(reply);
  if (expected.includes(error)) return { error };
  throw new StoreError(REFUSALS[error] ?? (reply.status === 401 || reply.status === 403 ? "permission" : "reply"));
}

/** The error in a reply, without the namespace that some have before it. */
function errorOf(reply: StoreReply): string {
  const { __type } = (jsonOf(reply) ?? {}) as { __type?: unknown };
  return typeof __type === "string" ? __type.replace(/^.*#/, "").replace(/:.*$/s, "") : "";
}
