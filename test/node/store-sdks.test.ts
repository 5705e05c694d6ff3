import { Readable } from "node:stream";
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  paginateListSecrets,
  SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from "@aws-sdk/client-secrets-manager";
import { AssumeRoleCommand, AssumeRoleWithWebIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { createHttpHeaders } from "@azure/core-rest-pipeline";
import { ClientAssertionCredential, ClientSecretCredential } from "@azure/identity";
import { SecretClient } from "@azure/keyvault-secrets";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import nodeVault from "node-vault";
import { describe, expect, it } from "vitest";
import { fakeAws } from "../support/stores/fake-aws.ts";
import { fakeAzure } from "../support/stores/fake-azure.ts";
import { fakeVault } from "../support/stores/fake-vault.ts";
import { serveFake } from "./support/stores/serve-fake.ts";

// What Keyhole's drivers are tried on has to be what the clients of those who run such stores take for one.

type Handle = (request: Request) => Promise<Response>;

interface SdkRequest {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Record<string, string>;
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** The way of AWS's SDK to a fake, without a socket. */
function awsHandler(handle: Handle) {
  return {
    async handle({ protocol, hostname, path, query, method, headers, body }: SdkRequest) {
      const url = new URL(`${protocol}//${hostname}${path}?${new URLSearchParams(query)}`.replace(/\?$/, ""));
      const response = await handle(new Request(url, { method, headers, ...(body !== undefined && { body }) }));
      const bytes = Buffer.from(await response.arrayBuffer());
      return { response: { statusCode: response.status, headers: Object.fromEntries(response.headers), body: Readable.from([bytes]) } };
    },
  };
}

const KEY = { id: "AKIAIOSFODNN7EXAMPLE", secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
const ROLE = "arn:aws:iam::000000000000:role/keyhole";
const ISSUER = "https://keyhole.example.org/oidc/acme";

async function issue(alg: string) {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const jwk = { ...(await exportJWK(publicKey)), alg };
  const sign = (audience: string) =>
    new SignJWT({ jti: "1" })
      .setProtectedHeader({ alg })
      .setIssuer(ISSUER)
      .setSubject("store:prod")
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(privateKey);
  return { identity: { issuer: ISSUER, subject: "store:prod", keys: () => [jwk] }, sign };
}

describe("AWS's SDK takes the fake for AWS", () => {
  const aws = fakeAws(KEY);
  const requestHandler = awsHandler(aws.handle) as never;
  const common = { region: aws.region, requestHandler, maxAttempts: 1 };
  const credentials = { accessKeyId: KEY.id, secretAccessKey: KEY.secret };
  const client = new SecretsManagerClient({ ...common, credentials });
  const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];

  it("writes and reads text and bytes, and versions by their labels", async () => {
    const created = await client.send(new CreateSecretCommand({ Name: "a/b", SecretString: "ä\u0000\n🔑", ClientRequestToken: first }));
    expect(created).toMatchObject({ Name: "a/b", VersionId: first });
    expect(await client.send(new CreateSecretCommand({ Name: "a/b", SecretString: "ä\u0000\n🔑", ClientRequestToken: first }))).toMatchObject({
      VersionId: first,
    });
    const bytes = new Uint8Array([0, 255, 1]);
    const put = { SecretId: "a/b", SecretBinary: bytes, ClientRequestToken: second };
    expect(await client.send(new PutSecretValueCommand(put))).toMatchObject({ VersionId: second, VersionStages: ["AWSCURRENT"] });
    expect(await client.send(new PutSecretValueCommand(put))).toMatchObject({ VersionId: second });
    const current = await client.send(new GetSecretValueCommand({ SecretId: "a/b" }));
    expect([current.Name, new Uint8Array(current.SecretBinary ?? []), current.VersionStages]).toEqual(["a/b", bytes, ["AWSCURRENT"]]);
    expect(await client.send(new GetSecretValueCommand({ SecretId: "a/b", VersionStage: "AWSPREVIOUS" }))).toMatchObject({
      SecretString: "ä\u0000\n🔑",
      VersionId: first,
    });
    await client.send(
      new UpdateSecretVersionStageCommand({ SecretId: "a/b", VersionStage: "AWSCURRENT", MoveToVersionId: first, RemoveFromVersionId: second }),
    );
    const { VersionIdsToStages } = await client.send(new DescribeSecretCommand({ SecretId: "a/b" }));
    expect(VersionIdsToStages).toEqual({ [first]: ["AWSCURRENT"], [second]: ["AWSPREVIOUS"] });
  });

  it("reads errors by their names", async () => {
    const failing: [Promise<unknown>, string][] = [
      [client.send(new GetSecretValueCommand({ SecretId: "none" })), "ResourceNotFoundException"],
      [client.send(new CreateSecretCommand({ Name: "a/b", SecretString: "x", ClientRequestToken: crypto.randomUUID() })), "ResourceExistsException"],
      [client.send(new PutSecretValueCommand({ SecretId: "a/b", SecretString: "other", ClientRequestToken: second })), "ResourceExistsException"],
      [
        client.send(new UpdateSecretVersionStageCommand({ SecretId: "a/b", VersionStage: "AWSCURRENT", MoveToVersionId: second, RemoveFromVersionId: second })),
        "InvalidParameterException",
      ],
      [client.send(new PutSecretValueCommand({ SecretId: "a/b", SecretString: "x".repeat(65_537) })), "ValidationException"],
      [
        new SecretsManagerClient({ ...common, credentials: { ...credentials, secretAccessKey: "wrong" } }).send(new GetSecretValueCommand({ SecretId: "a/b" })),
        "InvalidSignatureException",
      ],
      [
        new SecretsManagerClient({ ...common, credentials: { ...credentials, accessKeyId: "AKIAOTHER" } }).send(new GetSecretValueCommand({ SecretId: "a/b" })),
        "UnrecognizedClientException",
      ],
    ];
    expect(
      await Promise.all(
        failing.map(([work]) =>
          work.then(
            () => "none",
            (error: Error) => error.name,
          ),
        ),
      ),
    ).toEqual(failing.map(([, name]) => name));
  });

  it("lists page by page, and deletes", async () => {
    for (let number = 0; number < 250; number++) {
      await client.send(new CreateSecretCommand({ Name: `bulk/${number}`, SecretString: "x", ClientRequestToken: crypto.randomUUID() }));
    }
    const names: string[] = [];
    for await (const page of paginateListSecrets({ client, pageSize: 100 }, { Filters: [{ Key: "name", Values: ["bulk/"] }] })) {
      names.push(...(page.SecretList ?? []).map(({ Name = "" }) => Name));
    }
    expect(new Set(names).size).toBe(250);
    const deleted = await client.send(new DeleteSecretCommand({ SecretId: "a/b" }));
    expect(deleted.DeletionDate).toBeInstanceOf(Date);
    expect((await client.send(new DescribeSecretCommand({ SecretId: "a/b" }))).DeletedDate).toBeInstanceOf(Date);
    const error = await client.send(new GetSecretValueCommand({ SecretId: "a/b" })).catch((error: Error) => error);
    expect(error).toMatchObject({ name: "InvalidRequestException" });
  });

  it("takes roles, with keys and with a token", async () => {
    const { identity, sign } = await issue("RS256");
    const sts = new STSClient({ ...common, credentials });
    aws.roles.set(ROLE, { externalId: "org_1" });
    const taken = await sts.send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: "keyhole", ExternalId: "org_1" }));
    const { AccessKeyId = "", SecretAccessKey = "", SessionToken = "", Expiration } = taken.Credentials ?? {};
    expect(Expiration).toBeInstanceOf(Date);
    const session = new SecretsManagerClient({
      ...common,
      credentials: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: SessionToken },
    });
    expect(await session.send(new GetSecretValueCommand({ SecretId: "bulk/1" }))).toMatchObject({ SecretString: "x" });
    expect(await sts.send(new AssumeRoleCommand({ RoleArn: ROLE, RoleSessionName: "keyhole" })).catch((error: Error) => error)).toMatchObject({
      name: "AccessDenied",
    });
    aws.roles.set(ROLE, { identity });
    const ask = async (audience: string) =>
      sts.send(new AssumeRoleWithWebIdentityCommand({ RoleArn: ROLE, RoleSessionName: "keyhole", WebIdentityToken: await sign(audience) }));
    expect((await ask("sts.amazonaws.com")).Credentials?.SessionToken).toBeTruthy();
    expect(await ask("elsewhere").catch((error: Error) => error)).toMatchObject({ name: "InvalidIdentityTokenException" });
  });
});

describe("Azure's SDK takes the fake for Azure", () => {
  const azure = fakeAzure();
  const APP = "99999999-8888-7777-6666-555555555555";
  const httpClient = azureClient(azure.handle);
  const options = { httpClient, disableInstanceDiscovery: true, retryOptions: { maxRetries: 0 } };
  const secret = (value: string) => new ClientSecretCredential(azure.tenant, APP, value, options);
  const client = (credential: ConstructorParameters<typeof SecretClient>[1]) =>
    new SecretClient(azure.vault.origin, credential, { httpClient, retryOptions: { maxRetries: 0 } });

  it("writes, reads, lists, deletes and brings back", { timeout: 30_000 }, async () => {
    azure.apps.set(APP, { secrets: ["right"] });
    const vault = client(secret("right"));
    const first = await vault.setSecret("Db-Password", "ä\u0000🔑", { tags: { a: "b" }, contentType: "text/plain" });
    const second = await vault.setSecret("db-password", "2");
    expect(await vault.getSecret("DB-PASSWORD")).toMatchObject({ value: "2", properties: { version: second.properties.version } });
    expect(await vault.getSecret("db-password", { version: first.properties.version ?? "" })).toMatchObject({
      value: "ä\u0000🔑",
      properties: { tags: { a: "b" }, contentType: "text/plain", enabled: true },
    });
    for (let number = 0; number < 60; number++) await vault.setSecret(`bulk-${number}`, "x");
    const names: string[] = [];
    for await (const { name } of vault.listPropertiesOfSecrets()) names.push(name);
    expect(new Set(names).size).toBe(61);
    const versions: unknown[] = [];
    for await (const { version } of vault.listPropertiesOfSecretVersions("db-password")) versions.push(version);
    expect(versions).toEqual([first.properties.version, second.properties.version]);
    expect(await (await vault.beginDeleteSecret("db-password", { intervalInMs: 1 })).pollUntilDone()).toMatchObject({ name: "Db-Password" });
    expect(await errorOf(vault.getSecret("db-password"))).toEqual([404, "SecretNotFound"]);
    expect(await errorOf(vault.setSecret("db-password", "3"))).toEqual([409, "Conflict"]);
    await (await vault.beginRecoverDeletedSecret("db-password", { intervalInMs: 1 })).pollUntilDone();
    expect((await vault.getSecret("db-password")).value).toBe("2");
    expect(await errorOf(vault.setSecret("large", "x".repeat(25_601)))).toEqual([400, "BadParameter"]);
  });

  it("refuses a wrong secret, and an assertion that is signed with ES256", async () => {
    azure.apps.set(APP, { secrets: ["right"] });
    const asked = (credential: ClientSecretCredential | ClientAssertionCredential) =>
      credential.getToken("https://vault.azure.net/.default").then(
        () => "given",
        (error: Error) => error.message,
      );
    const taken = [await asked(secret("right")), await asked(secret("wrong"))];
    for (const alg of ["RS256", "ES256"]) {
      const { identity, sign } = await issue(alg);
      azure.apps.set(APP, { federated: identity });
      const credential = new ClientAssertionCredential(azure.tenant, APP, () => sign("api://AzureADTokenExchange"), options);
      taken.push(await asked(credential));
    }
    expect(taken).toEqual(["given", expect.stringContaining("AADSTS7000215"), "given", expect.stringContaining("AADSTS5002738")]);
  });
});

async function errorOf(work: Promise<unknown>): Promise<unknown[]> {
  const error = (await work.then(
    () => ({}),
    (error: unknown) => error,
  )) as { statusCode?: number; code?: string };
  return [error.statusCode, error.code];
}

/** The way of Azure's SDK to a fake, without a socket. */
function azureClient(handle: Handle): never {
  return {
    async sendRequest(request: { url: string; method: string; body?: unknown; headers: Iterable<[string, string]> }) {
      const body = request.body as string | undefined;
      const response = await handle(new Request(request.url, { method: request.method, headers: [...request.headers], ...(body && { body }) }));
      return { request, status: response.status, headers: createHttpHeaders(Object.fromEntries(response.headers)), bodyAsText: await response.text() };
    },
  } as never;
}

it("Vault's client takes the fake for Vault", async () => {
  const vault = fakeVault("s.test");
  const served = await serveFake(vault.handle);
  try {
    const client = nodeVault({ apiVersion: "v1", endpoint: served.origin, token: "s.test" });
    const write = (value: string, cas: number) => client.write("secret/data/a/b", { data: { value }, options: { cas } });
    expect((await write("1", 0)).data.version).toBe(1);
    expect((await write("2", 1)).data.version).toBe(2);
    expect(await write("x", 1).catch((error: Error) => error.message)).toContain("check-and-set");
    expect((await client.read("secret/data/a/b")).data).toMatchObject({ data: { value: "2" }, metadata: { version: 2 } });
    expect((await client.read("secret/data/a/b?version=1")).data.data).toEqual({ value: "1" });
    await client.delete("secret/data/a/b");
    const gone = await client.read("secret/data/a/b").catch((error: { response: { statusCode: number } }) => error.response.statusCode);
    expect(gone).toBe(404);
  } finally {
    await served.close();
  }
});
