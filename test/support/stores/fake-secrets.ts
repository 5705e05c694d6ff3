import { AwsError } from "./aws-error.ts";
import type { FakeAws } from "./fake-aws.ts";

interface Version {
  readonly SecretString?: string;
  readonly SecretBinary?: string;
  readonly stages: Set<string>;
}

/** A secret as Secrets Manager has it. */
export interface AwsSecret {
  readonly arn: string;
  readonly versions: Map<string, Version>;
  /** When its deletion was asked for, in seconds since 1970. */
  deleted?: number;
}

interface Asked {
  readonly [name: string]: unknown;
  readonly Name?: string;
  readonly SecretId?: string;
  readonly ClientRequestToken?: string;
  readonly SecretString?: string;
  readonly SecretBinary?: string;
  readonly VersionId?: string;
  readonly VersionStage?: string;
  readonly VersionStages?: readonly string[];
}

type Action = (aws: FakeAws, asked: Asked) => object;

/** What Secrets Manager does, by action (https://docs.aws.amazon.com/secretsmanager/latest/apireference/). */
export const SECRET_ACTIONS: Readonly<Record<string, Action>> = {
  CreateSecret(aws, asked) {
    const { Name = "" } = asked;
    if (!/^[\w/+=.@-]{1,512}$/.test(Name)) throw new AwsError("ValidationException", "Invalid name.");
    const existing = aws.secrets.get(Name);
    if (existing?.deleted !== undefined) throw marked("create this secret because a secret with this name is already scheduled for deletion");
    if (existing && !isSame(existing.versions.get(tokenOf(asked)), asked)) throw new AwsError("ResourceExistsException", `The secret ${Name} already exists.`);
    const secret = existing ?? { arn: `arn:aws:secretsmanager:${aws.region}:000000000000:secret:${Name}-AbCdEf`, versions: new Map() };
    aws.secrets.set(Name, secret);
    if (!existing && (asked.SecretString ?? asked.SecretBinary) !== undefined) write(secret, asked, ["AWSCURRENT"]);
    return { ARN: secret.arn, Name, VersionId: tokenOf(asked) };
  },
  PutSecretValue(aws, asked) {
    const secret = alive(aws, asked);
    const stages = asked.VersionStages ?? ["AWSCURRENT"];
    const known = secret.versions.get(tokenOf(asked));
    if (known && !isSame(known, asked)) throw new AwsError("ResourceExistsException", "A version of this id has another value.");
    // The first version of all is the current one.
    if (!known) write(secret, asked, secret.versions.size === 0 ? [...new Set([...stages, "AWSCURRENT"])] : stages);
    return { ARN: secret.arn, Name: asked.SecretId, VersionId: tokenOf(asked), VersionStages: [...(secret.versions.get(tokenOf(asked))?.stages ?? [])] };
  },
  GetSecretValue(aws, asked) {
    const secret = alive(aws, asked);
    const entry = [...secret.versions].find(([id, { stages }]) =>
      asked.VersionId === undefined ? stages.has(asked.VersionStage ?? "AWSCURRENT") : id === asked.VersionId,
    );
    if (!entry) throw new AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret value.");
    const [VersionId, { stages, ...value }] = entry;
    return { ARN: secret.arn, Name: asked.SecretId, VersionId, ...value, VersionStages: [...stages], CreatedDate: 1.764e9 };
  },
  DescribeSecret(aws, asked) {
    const secret = existing(aws, asked);
    const staged = [...secret.versions].filter(([, { stages }]) => stages.size > 0).map(([id, { stages }]) => [id, [...stages]]);
    const deleted = secret.deleted !== undefined && { DeletedDate: secret.deleted };
    return { ARN: secret.arn, Name: asked.SecretId, ...deleted, VersionIdsToStages: Object.fromEntries(staged) };
  },
  ListSecrets(aws, { MaxResults = 100, NextToken, Filters = [] }) {
    const from = NextToken === undefined ? 0 : Number(NextToken);
    if (!Number.isInteger(from)) throw new AwsError("InvalidNextTokenException");
    const wanted = (Filters as { Key: string; Values: string[] }[]).flatMap(({ Key, Values }) => (Key === "name" ? Values : []));
    // A filter is about words, in either case: more is found than begins so.
    const matches = (name: string) => wanted.every((value) => new RegExp(`(?:^|[/_+=.@-])${value.replaceAll(/[+.]/g, "\\$&")}`, "i").test(name));
    const all = [...aws.secrets].filter(([name, { deleted }]) => deleted === undefined && matches(name));
    const to = from + Math.min(Number(MaxResults), 100);
    const SecretList = all.slice(from, to).map(([Name, { arn }]) => ({ ARN: arn, Name }));
    return { SecretList, ...(to < all.length && { NextToken: String(to) }) };
  },
  DeleteSecret(aws, asked) {
    const secret = alive(aws, asked);
    secret.deleted = Math.floor(aws.now() / 1000);
    return { ARN: secret.arn, Name: asked.SecretId, DeletionDate: secret.deleted + 30 * 86_400 };
  },
  RestoreSecret(aws, asked) {
    const secret = existing(aws, asked);
    delete secret.deleted;
    return { ARN: secret.arn, Name: asked.SecretId };
  },
  UpdateSecretVersionStage(aws, asked) {
    const secret = alive(aws, asked);
    const {
      VersionStage = "",
      MoveToVersionId,
      RemoveFromVersionId,
    } = asked as { VersionStage?: string; MoveToVersionId?: string; RemoveFromVersionId?: string };
    const [holder, held] = [...secret.versions].find(([, { stages }]) => stages.has(VersionStage)) ?? [];
    if (RemoveFromVersionId !== holder && (RemoveFromVersionId !== undefined || MoveToVersionId !== holder)) {
      throw new AwsError("InvalidParameterException", `The staging label ${VersionStage} is attached to another version.`);
    }
    if (MoveToVersionId === undefined) held?.stages.delete(VersionStage);
    else move(secret, VersionStage, MoveToVersionId);
    return { ARN: secret.arn, Name: asked.SecretId };
  },
};

function existing(aws: FakeAws, { SecretId = "" }: Asked): AwsSecret {
  const secret = aws.secrets.get(SecretId);
  if (!secret) throw new AwsError("ResourceNotFoundException", "Secrets Manager can't find the specified secret.");
  return secret;
}

function alive(aws: FakeAws, asked: Asked): AwsSecret {
  const secret = existing(aws, asked);
  if (secret.deleted !== undefined) throw marked("perform this operation on the secret because it was marked for deletion");
  return secret;
}

function marked(what: string): AwsError {
  return new AwsError("InvalidRequestException", `You can't ${what}.`);
}

function tokenOf({ ClientRequestToken = "" }: Asked): string {
  if (!/^[\w-]{32,64}$/.test(ClientRequestToken)) throw new AwsError("InvalidParameterException", "ClientRequestToken has 32 to 64 characters.");
  return ClientRequestToken;
}

function isSame(version: Version | undefined, { SecretString, SecretBinary }: Asked): boolean {
  return version !== undefined && version.SecretString === SecretString && version.SecretBinary === SecretBinary;
}

function write(secret: AwsSecret, asked: Asked, stages: readonly string[]): void {
  const { SecretString, SecretBinary } = asked;
  const size = SecretString === undefined ? atob(SecretBinary ?? "").length : new TextEncoder().encode(SecretString).length;
  if (size < 1 || size > 65_536 || (SecretString !== undefined) === (SecretBinary !== undefined))
    throw new AwsError("ValidationException", "A value has 1 to 65536 bytes.");
  const value = SecretString === undefined ? { SecretBinary: SecretBinary ?? "" } : { SecretString };
  secret.versions.set(tokenOf(asked), { ...value, stages: new Set() });
  for (const stage of stages) move(secret, stage, tokenOf(asked));
}

/** A label is at one version, and the version before the current one has a label of its own. */
function move(secret: AwsSecret, stage: string, to: string): void {
  const target = secret.versions.get(to);
  if (!target) throw new AwsError("ResourceNotFoundException", "There is no such version.");
  for (const [id, { stages }] of secret.versions) {
    if (!stages.delete(stage) || stage !== "AWSCURRENT" || id === to) continue;
    for (const version of secret.versions.values()) version.stages.delete("AWSPREVIOUS");
    stages.add("AWSPREVIOUS");
  }
  target.stages.add(stage);
  if (stage === "AWSCURRENT") target.stages.delete("AWSPREVIOUS");
}
