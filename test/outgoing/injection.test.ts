import { describe, expect, it } from "vitest";
import { type AwsRefusal, readAwsScope } from "../../src/worker/injection/aws-scope.ts";
import { clientCredentialsRequest, readAccessToken } from "../../src/worker/injection/client-credentials.ts";
import { type AwsRequest, signForAws } from "../../src/worker/injection/sign-for-aws.ts";

const now = new Date("2013-05-24T00:00:00.000Z");
/** The credentials of AWS's own examples. */
const credentials = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", services: ["s3", "dynamodb"] };
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

function signedBy(service: string, region: string): string {
  return `AWS4-HMAC-SHA256 Credential=AKIDOFCLIENT/20130524/${region}/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`;
}

function request(address: string, more: Partial<AwsRequest> = {}): AwsRequest {
  return { method: "GET", url: new URL(address), headers: new Headers(), body: null, authorization: signedBy("s3", "us-east-1"), contentHash: null, ...more };
}

const streamOf = (text: string): ReadableStream<Uint8Array> | null => new Response(text).body;

describe("the credential scope of a client", () => {
  it.each<[string, string, string, AwsRefusal | "taken"]>([
    ["https://s3.us-east-1.amazonaws.com/", "s3", "us-east-1", "taken"],
    ["https://bucket.s3.eu-central-1.amazonaws.com/", "s3", "eu-central-1", "taken"],
    ["https://s3.amazonaws.com/", "s3", "us-east-1", "taken"],
    ["https://s3.amazonaws.com/", "s3", "eu-central-1", "other-region"],
    ["https://s3.us-gov-west-1.amazonaws.com/", "s3", "us-gov-west-1", "taken"],
    ["https://dynamodb.us-west-2.amazonaws.com/", "dynamodb", "us-west-2", "taken"],
    ["https://dynamodb.us-west-2.amazonaws.com/", "dynamodb", "us-east-1", "other-region"],
    ["https://dynamodb.us-west-2.amazonaws.com/", "iam", "us-west-2", "other-service"],
    ["https://abc.r2.cloudflarestorage.com/", "s3", "auto", "taken"],
    ["https://s3.us-east-1.amazonaws.com/?X-Amz-Signature=x", "s3", "us-east-1", "presigned"],
  ])("at %s of %s in %s: %s", (address, service, region, expected) => {
    const scope = readAwsScope(signedBy(service, region), new URL(address), credentials.services);
    expect(scope).toEqual(expected === "taken" ? { service, region } : expected);
  });

  it.each<[string | null, AwsRefusal]>([
    [null, "not-signed"],
    ["Bearer x", "not-signed"],
    ["AWS4-HMAC-SHA256 Signature=x", "not-signed"],
    ["AWS4-HMAC-SHA256 Credential=x/20130524/us-east-1/s3/aws5_request, Signature=x", "not-signed"],
    ["AWS4-ECDSA-P256-SHA256 Credential=x/20130524/s3/aws4_request, Signature=x", "other-algorithm"],
  ])("is not in %s", (authorization, refusal) => {
    expect(readAwsScope(authorization, new URL("https://s3.us-east-1.amazonaws.com/"), credentials.services)).toBe(refusal);
  });
});

describe("a request for AWS", () => {
  it("has the signature of AWS's own example", async () => {
    // https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, «GET Bucket (List Objects)».
    const signed = await signForAws(request("https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J"), credentials, now);
    expect(signed).toMatchObject({ body: null });
    expect(Object.fromEntries((signed as { headers: Headers }).headers)).toEqual({
      authorization:
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
      "x-amz-content-sha256": EMPTY,
      "x-amz-date": "20130524T000000Z",
    });
  });

  it("is signed with its own headers of AWS, and without what the client was known by", async () => {
    const headers = new Headers({
      "X-Amz-Security-Token": "keyhole-token",
      "X-Amz-Date": "20130101T000000Z",
      "X-Amz-Acl": "private",
      "Content-Type": "text/plain",
      "User-Agent": "x",
    });
    const signed = (await signForAws(request("https://s3.us-east-1.amazonaws.com/b/k", { method: "PUT", headers }), credentials, now)) as { headers: Headers };
    expect(signed.headers.get("Authorization")).toContain("SignedHeaders=host;x-amz-acl;x-amz-content-sha256;x-amz-date, ");
    expect([signed.headers.get("X-Amz-Security-Token"), signed.headers.get("X-Amz-Date"), signed.headers.get("Content-Type")]).toEqual([
      null,
      "20130524T000000Z",
      "text/plain",
    ]);
  });

  it.each(["UNSIGNED-PAYLOAD", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", "a".repeat(64)])("streams its body where the client has said %s", async (contentHash) => {
    const body = streamOf("x");
    const signed = await signForAws(request("https://s3.us-east-1.amazonaws.com/b/k", { method: "PUT", body, contentHash }), credentials, now);
    expect((signed as { body: unknown }).body).toBe(body);
    expect((signed as { headers: Headers }).headers.get("X-Amz-Content-Sha256")).toBe(contentHash);
  });

  it("has its body hashed where the client has not", async () => {
    const asked = { method: "POST", authorization: signedBy("dynamodb", "us-west-2"), body: streamOf("abc") };
    const signed = await signForAws(request("https://dynamodb.us-west-2.amazonaws.com/", asked), credentials, now);
    expect(new TextDecoder().decode((signed as { body: Uint8Array }).body)).toBe("abc");
    expect((signed as { headers: Headers }).headers.get("X-Amz-Content-Sha256")).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  });

  it.each<[Partial<AwsRequest>, AwsRefusal]>([
    [{ contentHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD" }, "streaming-signature"],
    [{ contentHash: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER" }, "streaming-signature"],
    [{ body: streamOf("x".repeat(8 * 2 ** 20 + 1)) }, "body-too-large"],
    [{ authorization: null }, "not-signed"],
  ])("%# is not signed: %s", async (more, refusal) => {
    expect(await signForAws(request("https://s3.us-east-1.amazonaws.com/b/k", { method: "PUT", ...more }), credentials, now)).toBe(refusal);
  });
});

describe("client credentials", () => {
  it("are asked with as RFC 6749 says, and are kept out of the body", () => {
    const { headers, body, hidden } = clientCredentialsRequest({ clientId: "my client", clientSecret: "s:e+c/r%é", scope: "read write" });
    expect(body).toBe("grant_type=client_credentials&scope=read+write");
    const [, encoded = ""] = /^Basic (.*)$/.exec(headers.get("Authorization") ?? "") ?? [];
    expect(atob(encoded)).toBe("my+client:s%3Ae%2Bc%2Fr%25%C3%A9");
    expect(hidden).toEqual(["s:e+c/r%é", encoded]);
    expect(clientCredentialsRequest({ clientId: "x", clientSecret: "y" }).body).toBe("grant_type=client_credentials");
  });

  const token = "ya29.0123456789abcdef==";
  it.each([
    [200, { access_token: token, token_type: "Bearer", expires_in: 3600, scope: "x" }, { token, expiresIn: 3600 }],
    [200, { access_token: token, token_type: "bearer", expires_in: "300" }, { token, expiresIn: 300 }],
    [200, { access_token: token, token_type: "bearer" }, { token, expiresIn: undefined }],
    [400, { error: "invalid_client" }, undefined],
    [201, { access_token: token, token_type: "bearer" }, undefined],
    [200, { access_token: token, token_type: "mac" }, undefined],
    [200, { access_token: token }, undefined],
    [200, { access_token: `${token}\r\nX: y`, token_type: "bearer" }, undefined],
    [200, { access_token: "short", token_type: "bearer" }, undefined],
    [200, { access_token: token, token_type: "bearer", expires_in: -1 }, undefined],
    [200, [], undefined],
    [200, null, undefined],
  ])("answered with %i %j give %j", (status, reply, expected) => {
    expect(readAccessToken(status, JSON.stringify(reply))).toEqual(expected);
  });

  it("answered with no JSON give nothing", () => {
    expect(readAccessToken(200, `access_token=${token}`)).toBeUndefined();
  });
});
