import { expect, it } from "vitest";
import * as readAudit from "../../src/client/readers/audit.ts";
import * as readBackup from "../../src/client/readers/backup.ts";
import * as readLogins from "../../src/client/readers/logins.ts";
import * as readOperator from "../../src/client/readers/operator.ts";
import * as readProblem from "../../src/client/readers/problem.ts";
import type { Reader } from "../../src/client/readers/reader.ts";
import * as readResolve from "../../src/client/readers/resolve.ts";
import * as readRevocations from "../../src/client/readers/revocations.ts";
import * as readScopes from "../../src/client/readers/scopes.ts";
import * as readSecrets from "../../src/client/readers/secrets.ts";
import * as readServices from "../../src/client/readers/services.ts";
import * as readStores from "../../src/client/readers/stores.ts";
import * as readTokens from "../../src/client/readers/tokens.ts";
import * as readTrusts from "../../src/client/readers/trusts.ts";
import * as readWebhooks from "../../src/client/readers/webhooks.ts";
import type { PutLogin } from "../../src/client/types/logins.ts";
import type { SomeQuotas } from "../../src/client/types/operator.ts";
import type { ResolveRequest } from "../../src/client/types/resolve.ts";
import type { RpcResolveOptions } from "../../src/client/types/resolver.ts";
import type { CreateRevocation } from "../../src/client/types/revocations.ts";
import type { ListSecretsQuery, ObjectMember, SecretFields, Source } from "../../src/client/types/secrets.ts";
import type { PutService } from "../../src/client/types/services.ts";
import type { PutStore } from "../../src/client/types/stores.ts";
import type { CreateToken } from "../../src/client/types/tokens.ts";
import type { PutTrust } from "../../src/client/types/trusts.ts";
import type { PutWebhook } from "../../src/client/types/webhooks.ts";
import * as audit from "../../src/contract/audit.ts";
import * as generation from "../../src/contract/audit-generation.ts";
import * as registry from "../../src/contract/audit-registry.ts";
import * as backup from "../../src/contract/backup.ts";
import * as imports from "../../src/contract/import.ts";
import * as importObject from "../../src/contract/import-object.ts";
import * as keys from "../../src/contract/keys.ts";
import * as login from "../../src/contract/login.ts";
import * as problem from "../../src/contract/problem.ts";
import * as quota from "../../src/contract/quota.ts";
import * as resolve from "../../src/contract/resolve.ts";
import * as revocation from "../../src/contract/revocation.ts";
import type * as rpc from "../../src/contract/rpc.ts";
import * as sync from "../../src/contract/scope-sync.ts";
import * as scopes from "../../src/contract/scope-tree.ts";
import * as seals from "../../src/contract/seals.ts";
import * as secret from "../../src/contract/secret.ts";
import * as service from "../../src/contract/service.ts";
import type * as source from "../../src/contract/source.ts";
import * as store from "../../src/contract/store.ts";
import * as storeCheck from "../../src/contract/store-check.ts";
import * as token from "../../src/contract/token.ts";
import * as trust from "../../src/contract/trust.ts";
import * as version from "../../src/contract/version.ts";
import * as webhook from "../../src/contract/webhook.ts";

/** What a schema gives, and what it takes. It is the Worker's zod that says so: the tests' own may be another one. */
type Output<Schema extends { _zod: { output: unknown } }> = Schema["_zod"]["output"];
type Input<Schema extends { _zod: { input: unknown } }> = Schema["_zod"]["input"];

/** A type as JSON has it: without brands, and with nothing that is only to be read. */
type Plain<T> = T extends string
  ? keyof T extends keyof string
    ? T
    : string
  : T extends readonly (infer Item)[]
    ? Plain<Item>[]
    : T extends object
      ? { -readonly [Name in keyof T]: Plain<T[Name]> }
      : T;
type Same<A, B> = [Plain<A>] extends [Plain<B>] ? ([Plain<B>] extends [Plain<A>] ? true : false) : false;

// What the client says of a request, beside what the contract says: a difference does not compile.
void [
  true satisfies Same<SecretFields, Omit<Output<typeof secret.setSecretSchema>, "value" | "encoding">>,
  true satisfies Same<ListSecretsQuery, Partial<Omit<Input<typeof secret.listSecretsSchema>, "limit">> & { limit?: number | undefined }>,
  true satisfies Same<Source, source.Source>,
  true satisfies Same<ObjectMember, importObject.ObjectMember>,
  true satisfies Same<CreateToken, Input<typeof token.createTokenSchema>>,
  true satisfies Same<PutTrust, Input<typeof trust.putTrustSchema>>,
  true satisfies Same<PutLogin, Input<typeof login.putLoginSchema>>,
  true satisfies Same<PutService, Input<typeof service.putServiceSchema>>,
  true satisfies Same<PutStore, Input<typeof store.putStoreSchema>>,
  true satisfies Same<PutWebhook, Input<typeof webhook.putWebhookSchema>>,
  true satisfies Same<CreateRevocation, Input<typeof revocation.createRevocationSchema>>,
  true satisfies Same<SomeQuotas, quota.SomeQuotas>,
  true satisfies Same<ResolveRequest, Input<typeof resolve.resolveSchema>>,
  true satisfies Same<RpcResolveOptions, rpc.RpcResolveOptions>,
];

// The same of replies.
void [
  true satisfies Same<ReturnType<typeof readSecrets.secretBody>, Output<typeof secret.secretSchema>>,
  true satisfies Same<ReturnType<typeof readSecrets.setSecretReply>, Output<typeof secret.setSecretReplySchema>>,
  true satisfies Same<ReturnType<typeof readSecrets.secretPage>, Output<typeof secret.listSecretsReplySchema>>,
  true satisfies Same<ReturnType<typeof readSecrets.versionPage>, Output<typeof version.versionListSchema>>,
  true satisfies Same<ReturnType<typeof readSecrets.importReply>, Output<typeof imports.importReplySchema>>,
  true satisfies Same<ReturnType<typeof readSecrets.importObjectReply>, Output<typeof importObject.importObjectReplySchema>>,
  true satisfies Same<ReturnType<typeof readResolve.resolveReply>, Output<typeof resolve.resolveReplySchema>>,
  true satisfies Same<ReturnType<typeof readResolve.envReply>, Output<typeof resolve.envReplySchema>>,
  true satisfies Same<ReturnType<typeof readResolve.resolveOneReply>, Output<typeof resolve.resolveOneReplySchema>>,
  true satisfies Same<ReturnType<typeof readResolve.explanation>, Output<typeof resolve.explainReplySchema>>,
  true satisfies Same<ReturnType<typeof readTrusts.exchangeReply>, Output<typeof trust.exchangeReplySchema>>,
  true satisfies Same<ReturnType<typeof readTokens.createTokenReply>, Output<typeof token.createTokenReplySchema>>,
  true satisfies Same<ReturnType<typeof readTokens.tokenPage>, Output<typeof token.listTokensReplySchema>>,
  true satisfies Same<ReturnType<typeof readTokens.whoamiReply>, Output<typeof token.whoamiSchema>>,
  true satisfies Same<ReturnType<typeof readRevocations.createRevocationReply>, Output<typeof revocation.createRevocationReplySchema>>,
  true satisfies Same<ReturnType<typeof readRevocations.revocationPage>, Output<typeof revocation.listRevocationsReplySchema>>,
  true satisfies Same<ReturnType<typeof readTrusts.trustBody>, Output<typeof trust.trustSchema>>,
  true satisfies Same<ReturnType<typeof readTrusts.trustPage>, Output<typeof trust.listTrustsReplySchema>>,
  true satisfies Same<ReturnType<typeof readTrusts.trustTest>, Output<typeof trust.trustTestSchema>>,
  true satisfies Same<ReturnType<typeof readTrusts.refusalList>, Output<typeof trust.listRefusalsReplySchema>>,
  true satisfies Same<ReturnType<typeof readLogins.loginBody>, Output<typeof login.loginSchema>>,
  true satisfies Same<ReturnType<typeof readLogins.loginPage>, Output<typeof login.listLoginsReplySchema>>,
  true satisfies Same<ReturnType<typeof readWebhooks.webhookBody>, Output<typeof webhook.webhookSchema>>,
  true satisfies Same<ReturnType<typeof readWebhooks.madeWebhook>, Output<typeof webhook.madeWebhookSchema>>,
  true satisfies Same<ReturnType<typeof readWebhooks.webhookPage>, Output<typeof webhook.listWebhooksReplySchema>>,
  true satisfies Same<ReturnType<typeof readWebhooks.webhookTest>, Output<typeof webhook.testWebhookReplySchema>>,
  true satisfies Same<ReturnType<typeof readWebhooks.webhookDeliveries>, Output<typeof webhook.deliveriesReplySchema>>,
  true satisfies Same<ReturnType<typeof readServices.serviceBody>, Output<typeof service.serviceSchema>>,
  true satisfies Same<ReturnType<typeof readServices.servicePage>, Output<typeof service.listServicesReplySchema>>,
  true satisfies Same<ReturnType<typeof readStores.storeBody>, Output<typeof store.storeSchema>>,
  true satisfies Same<ReturnType<typeof readStores.storePage>, Output<typeof store.listStoresReplySchema>>,
  true satisfies Same<ReturnType<typeof readStores.storeCheck>, Output<typeof storeCheck.checkStoreReplySchema>>,
  true satisfies Same<ReturnType<typeof readScopes.scopeBody>, Output<typeof scopes.scopeBodySchema>>,
  true satisfies Same<ReturnType<typeof readScopes.scopePage>, Output<typeof scopes.scopeListSchema>>,
  true satisfies Same<ReturnType<typeof readScopes.scopeSync>, Output<typeof sync.scopeSyncSchema>>,
  true satisfies Same<ReturnType<typeof readScopes.deletedScope>, Output<typeof scopes.deletedScopeSchema>>,
  true satisfies Same<ReturnType<typeof readAudit.auditEvent>, Output<typeof audit.auditEventSchema>>,
  true satisfies Same<ReturnType<typeof readAudit.auditPage>, Output<typeof audit.auditPageSchema>>,
  true satisfies Same<ReturnType<typeof readAudit.checkpointPage>, Output<typeof audit.checkpointPageSchema>>,
  true satisfies Same<ReturnType<typeof readAudit.verifyReply>, Output<typeof audit.verifyReplySchema>>,
  true satisfies Same<ReturnType<typeof readAudit.anchorReply>, Output<typeof registry.anchorReplySchema>>,
  true satisfies Same<ReturnType<typeof readAudit.restorationsReply>, Output<typeof generation.restorationsReplySchema>>,
  true satisfies Same<ReturnType<typeof readAudit.acceptedRestorations>, Output<typeof generation.acceptedRestorationsSchema>>,
  true satisfies Same<ReturnType<typeof readOperator.keysReply>, Output<typeof keys.keysReplySchema>>,
  true satisfies Same<ReturnType<typeof readOperator.rewrapReply>, Output<typeof keys.rewrapReplySchema>>,
  true satisfies Same<ReturnType<typeof readOperator.unsealedReply>, Output<typeof seals.unsealedReplySchema>>,
  true satisfies Same<ReturnType<typeof readOperator.sealedReply>, Output<typeof seals.sealedReplySchema>>,
  true satisfies Same<ReturnType<typeof readOperator.quotasReply>, Output<typeof quota.quotasSchema>>,
  true satisfies Same<ReturnType<typeof readOperator.usageReply>, Output<typeof quota.usageSchema>>,
  true satisfies Same<ReturnType<typeof readBackup.backupReply>, Output<typeof backup.backupReplySchema>>,
  true satisfies Same<ReturnType<typeof readBackup.restoredPage>, Output<typeof backup.restoredPageSchema>>,
  true satisfies Same<ReturnType<typeof readBackup.finishedRestore>, Output<typeof backup.finishedRestoreSchema>>,
  true satisfies Same<ReturnType<typeof readBackup.comparedStores>, Output<typeof backup.comparedStoresSchema>>,
  true satisfies Same<ReturnType<typeof readBackup.reconciledStores>, Output<typeof backup.reconciledStoresSchema>>,
];

interface Schema {
  parse(value: unknown): unknown;
  safeParse(value: unknown): { readonly data?: unknown };
  meta(): { readonly [member: string]: unknown } | undefined;
}

/** A reader with the schema of what it reads. */
function pair(read: Reader<unknown>, schema: Schema) {
  return { read, schema, example: schema.meta()?.example as Json };
}
type Json = null | string | number | boolean | Json[] | { [name: string]: Json };

const PAIRS = {
  secret: pair(readSecrets.secretBody, secret.secretSchema),
  setSecret: pair(readSecrets.setSecretReply, secret.setSecretReplySchema),
  secrets: pair(readSecrets.secretPage, secret.listSecretsReplySchema),
  versions: pair(readSecrets.versionPage, version.versionListSchema),
  import: pair(readSecrets.importReply, imports.importReplySchema),
  importObject: pair(readSecrets.importObjectReply, importObject.importObjectReplySchema),
  resolve: pair(readResolve.resolveReply, resolve.resolveReplySchema),
  env: pair(readResolve.envReply, resolve.envReplySchema),
  resolveOne: pair(readResolve.resolveOneReply, resolve.resolveOneReplySchema),
  explain: pair(readResolve.explanation, resolve.explainReplySchema),
  problem: pair(readProblem.problem, problem.problemSchema),
  exchange: pair(readTrusts.exchangeReply, trust.exchangeReplySchema),
  oauthError: pair(readProblem.oauthError, trust.oauthErrorSchema),
  createToken: pair(readTokens.createTokenReply, token.createTokenReplySchema),
  tokens: pair(readTokens.tokenPage, token.listTokensReplySchema),
  whoami: pair(readTokens.whoamiReply, token.whoamiSchema),
  createRevocation: pair(readRevocations.createRevocationReply, revocation.createRevocationReplySchema),
  revocations: pair(readRevocations.revocationPage, revocation.listRevocationsReplySchema),
  trust: pair(readTrusts.trustBody, trust.trustSchema),
  trusts: pair(readTrusts.trustPage, trust.listTrustsReplySchema),
  trustTest: pair(readTrusts.trustTest, trust.trustTestSchema),
  login: pair(readLogins.loginBody, login.loginSchema),
  logins: pair(readLogins.loginPage, login.listLoginsReplySchema),
  refusals: pair(readTrusts.refusalList, trust.listRefusalsReplySchema),
  service: pair(readServices.serviceBody, service.serviceSchema),
  services: pair(readServices.servicePage, service.listServicesReplySchema),
  store: pair(readStores.storeBody, store.storeSchema),
  stores: pair(readStores.storePage, store.listStoresReplySchema),
  storeCheck: pair(readStores.storeCheck, storeCheck.checkStoreReplySchema),
  webhook: pair(readWebhooks.webhookBody, webhook.webhookSchema),
  madeWebhook: pair(readWebhooks.madeWebhook, webhook.madeWebhookSchema),
  webhooks: pair(readWebhooks.webhookPage, webhook.listWebhooksReplySchema),
  webhookTest: pair(readWebhooks.webhookTest, webhook.testWebhookReplySchema),
  webhookDeliveries: pair(readWebhooks.webhookDeliveries, webhook.deliveriesReplySchema),
  scope: pair(readScopes.scopeBody, scopes.scopeBodySchema),
  scopes: pair(readScopes.scopePage, scopes.scopeListSchema),
  scopeSync: pair(readScopes.scopeSync, sync.scopeSyncSchema),
  deletedScope: pair(readScopes.deletedScope, scopes.deletedScopeSchema),
  auditEvent: pair(readAudit.auditEvent, audit.auditEventSchema),
  audit: pair(readAudit.auditPage, audit.auditPageSchema),
  checkpoints: pair(readAudit.checkpointPage, audit.checkpointPageSchema),
  verify: pair(readAudit.verifyReply, audit.verifyReplySchema),
  anchor: pair(readAudit.anchorReply, registry.anchorReplySchema),
  restorations: pair(readAudit.restorationsReply, generation.restorationsReplySchema),
  acceptedRestorations: pair(readAudit.acceptedRestorations, generation.acceptedRestorationsSchema),
  keys: pair(readOperator.keysReply, keys.keysReplySchema),
  rewrap: pair(readOperator.rewrapReply, keys.rewrapReplySchema),
  unsealed: pair(readOperator.unsealedReply, seals.unsealedReplySchema),
  sealed: pair(readOperator.sealedReply, seals.sealedReplySchema),
  quotas: pair(readOperator.quotasReply, quota.quotasSchema),
  usage: pair(readOperator.usageReply, quota.usageSchema),
  backup: pair(readBackup.backupReply, backup.backupReplySchema),
  restoredPage: pair(readBackup.restoredPage, backup.restoredPageSchema),
  finishedRestore: pair(readBackup.finishedRestore, backup.finishedRestoreSchema),
  comparedStores: pair(readBackup.comparedStores, backup.comparedStoresSchema),
  reconciledStores: pair(readBackup.reconciledStores, backup.reconciledStoresSchema),
};

const kindOf = (value: Json | undefined) => (value === null ? "null" : Array.isArray(value) ? "list" : typeof value);
const OTHERS: readonly Json[] = [null, true, 7, 1.5, "x", [], {}];

/** The value with one part of it left out, or in its place something of another kind. */
function* spoiled(value: Json): Generator<Json> {
  if (Array.isArray(value)) for (const [at, item] of value.entries()) for (const other of variants(item)) yield value.with(at, other);
  else if (typeof value === "object" && value !== null)
    for (const [name, member] of Object.entries(value)) {
      const { [name]: _, ...rest } = value;
      yield rest;
      for (const other of variants(member)) yield { ...rest, [name]: other };
    }
}

function* variants(value: Json): Generator<Json> {
  yield* OTHERS.filter((other) => kindOf(other) !== kindOf(value));
  yield* spoiled(value);
}

function readOrNothing(read: Reader<unknown>, value: Json): unknown {
  try {
    return read(value, "");
  } catch {
    return undefined;
  }
}

it.each(Object.entries(PAIRS))("%s: the client reads what the contract says, and refuses what it does not say", (_, { read, schema, example }) => {
  expect(read(example, "")).toEqual(schema.parse(example));
  expect(read({ ...(example as object), added: "by a later service" }, "")).toMatchObject(schema.parse(example) as object);
  for (const other of variants(example)) {
    const parsed = schema.safeParse(other);
    expect([other, readOrNothing(read, other)]).toEqual([other, parsed.data]);
  }
});

it("refuses a member that JavaScript's objects have already, as a name of a secret", () => {
  expect(() => readResolve.envReply(JSON.parse('{"__proto__": "x"}'), "")).toThrow("/__proto__");
});

it("refuses a value whose encoding is not known, and a token that is no bearer token", () => {
  const { example } = PAIRS.resolveOne;
  expect(() => readResolve.resolveOneReply({ ...(example as object), encoding: "hex" }, "")).toThrow("/encoding");
  expect(() => readTrusts.exchangeReply({ ...(PAIRS.exchange.example as object), token_type: "DPoP" }, "")).toThrow("/token_type");
});

it("takes a word that a later service has added, and nothing that is no word", () => {
  const event = PAIRS.auditEvent.example as object;
  expect(readAudit.auditEvent({ ...event, action: "secret.copy" }, "")).toMatchObject({ action: "secret.copy" });
  for (const action of ["\u001b[2J", "a b", "", "__proto__", "constructor"]) expect(() => readAudit.auditEvent({ ...event, action }, "")).toThrow("/action");
});
