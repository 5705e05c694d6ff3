import * as z from "zod";
import { AWS_REFUSALS, signAwsCall, withAwsAccess } from "./aws-access.ts";
import { type AwsStore, secretsManagerAddress } from "./aws-store.ts";
import { callStore, isSuccess, jsonOf, readJson, requireJson, type StoreReply } from "./call-store.ts";
import { type DriverNeeds, type StoreCredentials, StoreError, type StoreRefusal } from "./store-driver.ts";

/** A reply, or the error that the caller has expected. */
type AwsAnswer = { readonly reply: StoreReply; readonly error?: undefined } | { readonly error: string };

/**
 * Has Secrets Manager do something.
 *
 * @param expected The errors that are an answer. Others are thrown.
 */
export type AskAws = (action: string, body: object, expected?: readonly string[]) => Promise<AwsAnswer>;

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

/** The actions that change nothing. */
const READS = /^(?:Get|List|Describe)/;

const describedSchema = z.object({
  DeletedDate: z.number().nullish(),
  VersionIdsToStages: z.record(z.string(), z.array(z.string())).nullish(),
});

/** How Secrets Manager is asked. Whatever is asked of it may be asked twice: its writes have tokens of their own. */
export function openAwsSecrets(store: AwsStore, credentials: StoreCredentials | undefined, needs: DriverNeeds): AskAws {
  const url = secretsManagerAddress(store);
  return (action, body, expected = []) =>
    withAwsAccess(store, credentials, needs, async (access) => {
      const headers = new Headers({ "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": `secretsmanager.${action}` });
      const request = { url, headers, body: JSON.stringify(body), service: "secretsmanager", region: store.region } as const;
      const call = {
        url,
        method: "POST",
        headers: await signAwsCall(request, access, needs.clock()),
        body: request.body,
        repeatable: true,
        changes: !READS.test(action),
      };
      return answerOf(await callStore(needs, call, (reply) => REFUSALS[errorOf(reply)] === "throttled"), expected);
    });
}

/** What is told of a secret. */
export interface DescribedSecret {
  /** Whether it waits for its deletion; `undefined` where there is no such secret. */
  readonly deleted?: boolean;
  readonly current?: string;
  /** Whether the version that was asked about is current, or was before. */
  readonly was: boolean;
}

/** Looks what there is of a secret, and of one of its versions. */
export async function describeAwsSecret(ask: AskAws, key: string, version?: string): Promise<DescribedSecret> {
  const answer = await ask("DescribeSecret", { SecretId: key }, ["ResourceNotFoundException"]);
  if (answer.error !== undefined) return { was: false };
  const { DeletedDate, VersionIdsToStages } = readJson(answer.reply, describedSchema);
  const stages = Object.entries(VersionIdsToStages ?? {});
  const [current] = stages.find(([, labels]) => labels.includes("AWSCURRENT")) ?? [];
  const was = stages.some(([id, labels]) => id === version && (labels.includes("AWSCURRENT") || labels.includes("AWSPREVIOUS")));
  return { deleted: typeof DeletedDate === "number", ...(current !== undefined && { current }), was };
}

/**
 * Looks whether `InvalidRequestException`, which AWS says of several things, says that the secret waits for its deletion.
 *
 * @throws {StoreError} `permission` if it does not.
 */
export async function requireDeleted(ask: AskAws, key: string): Promise<void> {
  if (!(await describeAwsSecret(ask, key)).deleted) throw new StoreError("permission");
}

function answerOf(reply: StoreReply, expected: readonly string[]): AwsAnswer {
  if (isSuccess(reply)) return { reply: requireJson(reply) };
  const error = errorOf(reply);
  if (expected.includes(error)) return { error };
  throw new StoreError(REFUSALS[error] ?? (reply.status === 401 || reply.status === 403 ? "permission" : "reply"));
}

/** The error in a reply, without the namespace that some have before it. */
function errorOf(reply: StoreReply): string {
  const { __type } = (jsonOf(reply) ?? {}) as { __type?: unknown };
  return typeof __type === "string" ? __type.replace(/^.*#/, "").replace(/:.*$/s, "") : "";
}
