import * as z from "zod";
import { type AskAws, describeAwsSecret, openAwsSecrets, requireDeleted } from "./aws-secrets.ts";
import type { AwsStore } from "./aws-store.ts";
import { readJson } from "./call-store.ts";
import { AWS_VERSION, putAwsSecret } from "./put-aws-secret.ts";
import { type DriverNeeds, type StoreCredentials, type StoreDriver, type StoredValue, StoreError, type StorePage, type StoreVersion } from "./store-driver.ts";
import { bytesOf, bytesOfBase64 } from "./value-bytes.ts";

/** Names as AWS has them. An ARN, which could name another account's secret, is none: it has colons. */
const NAME = /^[\w/+=.@-]{1,512}$/;
const PAGE = 100;

const valueSchema = z.object({
  Name: z.string(),
  VersionId: z.string().regex(AWS_VERSION),
  SecretString: z.string().optional(),
  SecretBinary: z.string().optional(),
});
const listSchema = z.object({ SecretList: z.array(z.object({ Name: z.string() })), NextToken: z.string().min(1).max(4096).nullish() });

/**
 * AWS Secrets Manager (https://docs.aws.amazon.com/secretsmanager/latest/apireference/). A version's id is the operation that
 * has written it. A deletion can be taken back for 30 days.
 */
export function openAwsSecretsManager(store: AwsStore, credentials: StoreCredentials | undefined, needs: DriverNeeds): StoreDriver {
  const ask = openAwsSecrets(store, credentials, needs);
  return {
    get: (key, version) => get(ask, key, version),
    async put(key, value, write) {
      requireName(key);
      return putAwsSecret(ask, key, value, write);
    },
    list: (prefix, cursor) => list(ask, prefix, cursor),
    find: (key, operation) => find(ask, key, operation),
    delete: (key) => remove(ask, key),
    deleted: (key) => findDeleted(ask, key),
    restore: (key) => restore(ask, key),
  };
}

async function get(ask: AskAws, key: string, version: string | undefined): Promise<StoredValue | undefined> {
  requireName(key);
  if (version !== undefined && !AWS_VERSION.test(version)) return undefined;
  const which = version === undefined ? { VersionStage: "AWSCURRENT" } : { VersionId: version };
  const answer = await ask("GetSecretValue", { SecretId: key, ...which }, ["ResourceNotFoundException", "InvalidRequestException"]);
  if (answer.error === "InvalidRequestException") await requireDeleted(ask, key);
  if (answer.error !== undefined) return undefined;
  const { Name, VersionId, SecretString, SecretBinary } = readJson(answer.reply, valueSchema);
  const value = SecretString === undefined ? bytesOfBase64(SecretBinary ?? "?") : bytesOf(SecretString);
  if (Name !== key || !value || (version !== undefined && version !== VersionId)) throw new StoreError("reply");
  return { value, version: VersionId };
}

async function list(ask: AskAws, prefix: string, cursor: string | undefined): Promise<StorePage> {
  const filters = prefix === "" ? {} : { Filters: [{ Key: "name", Values: [prefix] }] };
  const answer = await ask("ListSecrets", { MaxResults: PAGE, NextToken: cursor, ...filters });
  if (answer.error !== undefined) throw new StoreError("reply");
  const { SecretList, NextToken } = readJson(answer.reply, listSchema);
  // AWS compares word by word, and not always the case: what it gives is looked at again.
  const keys = SecretList.map(({ Name }) => Name).filter((name) => name.startsWith(prefix));
  return { keys, ...(NextToken ? { next: NextToken } : {}) };
}

async function remove(ask: AskAws, key: string): Promise<boolean> {
  requireName(key);
  // AWS does not always say of a secret that waits for its deletion that there is none to delete.
  if ((await describeAwsSecret(ask, key)).deleted !== false) return false;
  const answer = await ask("DeleteSecret", { SecretId: key }, ["ResourceNotFoundException", "InvalidRequestException"]);
  // It was there a moment ago: this call has deleted it, and was sent twice.
  if (answer.error === "InvalidRequestException") await requireDeleted(ask, key);
  return answer.error !== "ResourceNotFoundException";
}

/** A version that never was current was given up. */
async function find(ask: AskAws, key: string, operation: string): Promise<StoreVersion | undefined> {
  requireName(key);
  return (await describeAwsSecret(ask, key, operation)).was ? { version: operation } : undefined;
}

async function findDeleted(ask: AskAws, key: string): Promise<StoreVersion | undefined> {
  requireName(key);
  const { deleted, current } = await describeAwsSecret(ask, key);
  return deleted && current !== undefined ? { version: current } : undefined;
}

async function restore(ask: AskAws, key: string): Promise<boolean> {
  requireName(key);
  const answer = await ask("RestoreSecret", { SecretId: key }, ["ResourceNotFoundException"]);
  return answer.error === undefined;
}

function requireName(key: string): void {
  if (!NAME.test(key)) throw new StoreError("name");
}
