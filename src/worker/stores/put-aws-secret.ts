import * as z from "zod";
import { type AskAws, describeAwsSecret, requireDeleted } from "./aws-secrets.ts";
import { readJson, type StoreReply } from "./call-store.ts";
import { StoreError, type StoreVersion, type StoreWrite } from "./store-driver.ts";
import { textOf } from "./value-bytes.ts";

/** A version's id as AWS has it. */
export const AWS_VERSION = /^[\w-]{32,64}$/;
/** The largest value, in bytes. */
const MOST = 65_536;
/** The label of a version that is not current yet. A secret has one at the most. */
const PENDING = "KEYHOLEPENDING";
const NOT_THERE = ["ResourceNotFoundException", "InvalidRequestException"];

const writtenSchema = z.object({ VersionId: z.string().regex(AWS_VERSION) });

/** A value as AWS takes it. */
interface Content {
  readonly ClientRequestToken: string;
}

/** Writes a value. What is text is a `SecretString`, other bytes are a `SecretBinary`; the version's id is the operation. */
export async function putAwsSecret(ask: AskAws, key: string, value: Uint8Array, { operation, ifVersion }: StoreWrite): Promise<StoreVersion> {
  if (value.byteLength > MOST) throw new StoreError("too-large");
  const text = textOf(value);
  const content = { ClientRequestToken: operation, ...(text === undefined ? { SecretBinary: value.toBase64() } : { SecretString: text }) };
  if (typeof ifVersion === "string") return replace(ask, key, content, ifVersion);
  if (ifVersion === null) return create(ask, key, content, true);
  const answer = await ask("PutSecretValue", { SecretId: key, ...content }, NOT_THERE);
  if (answer.error === undefined) return versionOf(answer.reply);
  if (answer.error === "InvalidRequestException") return refuseDeleted(ask, key);
  return create(ask, key, content, false);
}

/** Makes a secret. One that has no current value is no more than a name, and is given this one. */
async function create(ask: AskAws, key: string, content: Content, alone: boolean): Promise<StoreVersion> {
  const answer = await ask("CreateSecret", { Name: key, ...content }, ["ResourceExistsException", "InvalidRequestException"]);
  if (answer.error === undefined) return versionOf(answer.reply);
  const { deleted, current, was } = await describeAwsSecret(ask, key, content.ClientRequestToken);
  if (deleted) throw new StoreError("deleted-name");
  if (was) return { version: content.ClientRequestToken };
  if (alone && current !== undefined) throw new StoreError("conflict");
  const written = await ask("PutSecretValue", { SecretId: key, ...content });
  if (written.error !== undefined) throw new StoreError("reply");
  return versionOf(written.reply);
}

/**
 * Writes a version, and makes it current in the place of `from` alone: AWS moves the label only from the version that is said to
 * have it.
 */
async function replace(ask: AskAws, key: string, content: Content, from: string): Promise<StoreVersion> {
  const version = content.ClientRequestToken;
  if (!AWS_VERSION.test(from)) throw new StoreError("conflict");
  const answer = await ask("PutSecretValue", { SecretId: key, ...content, VersionStages: [PENDING] }, NOT_THERE);
  if (answer.error === "InvalidRequestException") return refuseDeleted(ask, key);
  if (answer.error !== undefined) throw new StoreError("conflict");
  const label = (move: object) => ask("UpdateSecretVersionStage", { SecretId: key, ...move }, ["InvalidParameterException"]);
  const moved = await label({ VersionStage: "AWSCURRENT", MoveToVersionId: version, RemoveFromVersionId: from });
  const isCurrent = moved.error === undefined || (await describeAwsSecret(ask, key, version)).was;
  // Without a label a version is given up, and AWS deletes it.
  await label({ VersionStage: PENDING, RemoveFromVersionId: version });
  if (!isCurrent) throw new StoreError("conflict");
  return { version };
}

async function refuseDeleted(ask: AskAws, key: string): Promise<never> {
  await requireDeleted(ask, key);
  throw new StoreError("deleted-name");
}

function versionOf(reply: StoreReply): StoreVersion {
  return { version: readJson(reply, writtenSchema).VersionId };
}
