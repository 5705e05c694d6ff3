import { Agent } from "node:http";
import Anthropic from "@anthropic-ai/sdk";
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { Octokit } from "@octokit/rest";
import OpenAI from "openai";
import Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { presetOf } from "../../src/contract/service-presets.ts";
import { tokenFor } from "./cli/support/start-keyhole.ts";
import { isSignedWith } from "./support/uses/aws-signature.ts";
import { bearerOf, events, type FakeApi, json, startFakeApi } from "./support/uses/fake-apis.ts";
import { startUseKeyhole, type UseKeyhole } from "./support/uses/keyhole.ts";

const KEYS = { openai: "sk-openai-0123456789", anthropic: "sk-ant-0123456789", stripe: "sk_test_0123456789", github: "ghp_0123456789abcdef" };
const STRIPE_HOST = "stripe.localhost";

let keyhole: UseKeyhole;
let token: string;
const apis: FakeApi[] = [];

beforeAll(async () => {
  keyhole = await startUseKeyhole({ [STRIPE_HOST]: "stripe" });
  token = await tokenFor("acme", "secrets:use");
});
afterAll(async () => {
  await Promise.all([...apis, keyhole].map((each) => each?.close()));
});

/** What a preset fills in, for a fake of its API. */
async function serve(name: keyof typeof KEYS, fake: FakeApi, more: object = {}): Promise<void> {
  apis.push(fake);
  const { inject, allow, redirects, basic } = presetOf(name);
  const definition = { origin: fake.origin, inject: inject(`${name.toUpperCase()}_KEY`), allow: [...allow], redirects, basic };
  await keyhole.serve(name, KEYS[name], { ...definition, ...more });
}

describe("OpenAI's library, with an address and a token of Keyhole's", () => {
  let client: OpenAI;
  let fake: FakeApi;
  let goOn: () => void;
  const completion = (content: string) => ({
    id: "c1",
    object: "chat.completion",
    created: 1,
    model: "m",
    choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }],
  });

  beforeAll(async () => {
    const refused = { error: { message: "Incorrect API key provided", type: "invalid_request_error", code: "invalid_api_key" } };
    fake = await startFakeApi(KEYS.openai, bearerOf, refused, async ({ request, url, body, json: sent }, response) => {
      if (url.pathname === "/v1/files") {
        const parts = /filename="([^"]+)"/.exec(body.toString("latin1"));
        return json(response, 200, {
          id: "file-1",
          object: "file",
          bytes: body.length,
          filename: parts?.[1],
          purpose: "batch",
          created_at: 1,
          status: "processed",
        });
      }
      const { stream, model } = sent();
      if (model === "none")
        return json(response, 404, {
          error: { message: `no model for ${request.headers.authorization}`, type: "invalid_request_error", code: "model_not_found" },
        });
      if (!stream) return json(response, 200, completion(`your key is ${bearerOf(request)}`));
      const send = events(response);
      const chunk = (content: string) => ({
        id: "c1",
        object: "chat.completion.chunk",
        created: 1,
        model: "m",
        choices: [{ index: 0, delta: { content }, finish_reason: null }],
      });
      send(chunk("first"));
      await new Promise<void>((resolve) => {
        goOn = resolve;
      });
      send(chunk("last"));
      send("[DONE]");
      response.end();
    });
    const preset = presetOf("openai");
    await serve("openai", fake, { allow: [...preset.allow, { methods: ["POST"], paths: ["/v1/files"] }] });
    client = new OpenAI({ baseURL: `${keyhole.url}/use/openai/v1`, apiKey: token, maxRetries: 0 });
  });

  it("gets a completion, without the key that the reply quotes", async () => {
    const { choices } = await client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "hello" }] });
    expect(choices[0]?.message.content).toBe(`your key is ${"*".repeat(KEYS.openai.length)}`);
  });

  it("gets the first token of a stream before the last one is sent", async () => {
    const stream = await client.chat.completions.create({ model: "m", messages: [{ role: "user", content: "hello" }], stream: true });
    const said: (string | null | undefined)[] = [];
    for await (const { choices } of stream) {
      said.push(choices[0]?.delta.content);
      // The API says nothing more until this has arrived.
      if (said.length === 1) goOn();
    }
    expect(said).toEqual(["first", "last"]);
  });

  it("says what the API refuses in the library's own classes, without the key", async () => {
    const error = await client.chat.completions.create({ model: "none", messages: [] }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: "model_not_found", message: `404 no model for Bearer ${"*".repeat(KEYS.openai.length)}` });
  });

  it("says what Keyhole refuses in the library's own classes: a path, a token", async () => {
    const before = fake.asked.length;
    const path = await client.fineTuning.jobs.list().catch((error: unknown) => error);
    expect(path).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(path).toMatchObject({ code: "use-not-allowed", type: "use-not-allowed" });
    const stranger = new OpenAI({ baseURL: `${keyhole.url}/use/openai/v1`, apiKey: `${token}x`, maxRetries: 0 });
    expect(await stranger.models.list().catch((error: unknown) => error)).toBeInstanceOf(OpenAI.AuthenticationError);
    const narrow = new OpenAI({ baseURL: `${keyhole.url}/use/openai/v1`, apiKey: await tokenFor("acme", "secrets:read"), maxRetries: 0 });
    expect(await narrow.models.list().catch((error: unknown) => error)).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(fake.asked).toHaveLength(before);
  });

  it("does not ask again what cannot be had by asking again", async () => {
    let asked = 0;
    const counting: typeof fetch = (...request) => {
      asked++;
      return fetch(...request);
    };
    const eager = new OpenAI({ baseURL: `${keyhole.url}/use/openai/v1`, apiKey: token, maxRetries: 3, fetch: counting });
    await eager.fineTuning.jobs.list().catch(() => undefined);
    expect(asked).toBe(1);
  });

  it("sends a file of 8 MiB", async () => {
    const size = 8 * 2 ** 20;
    const file = new File([new Uint8Array(size)], "batch.jsonl");
    const { bytes, filename } = await client.files.create({ file, purpose: "batch" });
    expect([bytes > size, filename]).toEqual([true, "batch.jsonl"]);
  });
});

describe("Anthropic's library, with an address and a token of Keyhole's", () => {
  let client: Anthropic;
  const message = {
    id: "m1",
    type: "message",
    role: "assistant",
    model: "m",
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 1 },
  };

  beforeAll(async () => {
    const refused = { type: "error", error: { type: "authentication_error", message: "invalid x-api-key" } };
    const keyOf = ({ headers }: { headers: NodeJS.Dict<string | string[]> }) => String(headers["x-api-key"]);
    const fake = await startFakeApi(KEYS.anthropic, keyOf, refused, ({ json: sent }, response) => {
      if (!sent().stream) return json(response, 200, { ...message, content: [{ type: "text", text: "hello" }] });
      const send = events(response);
      send({ type: "message_start", message: { ...message, content: [] } }, "message_start");
      send({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }, "content_block_start");
      for (const text of ["your key is sk-ant-01", "23456789, is it not"])
        send({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text } }, "content_block_delta");
      send({ type: "content_block_stop", index: 0 }, "content_block_stop");
      send({ type: "message_stop" }, "message_stop");
      response.end();
    });
    await serve("anthropic", fake);
    client = new Anthropic({ baseURL: `${keyhole.url}/use/anthropic`, apiKey: token, maxRetries: 0 });
  });

  it("gets a message, whole and as a stream", async () => {
    const asked = { model: "m", max_tokens: 10, messages: [{ role: "user" as const, content: "hello" }] };
    expect((await client.messages.create(asked)).content).toEqual([{ type: "text", text: "hello" }]);
    // Each part is JSON of its own: what an API cuts in two is two texts, and neither is the key.
    expect(await client.messages.stream(asked).finalText()).toBe("your key is sk-ant-0123456789, is it not");
  });

  it("says what Keyhole refuses in the library's own classes", async () => {
    expect(await client.beta.files.list().catch((error: unknown) => error)).toBeInstanceOf(Anthropic.PermissionDeniedError);
  });
});

describe("Stripe's library, with a host and a token of Keyhole's", () => {
  it("reads, and says what is refused in the library's own classes", async () => {
    const fake = await startFakeApi(
      KEYS.stripe,
      bearerOf,
      { error: { type: "invalid_request_error", message: "Invalid API Key provided" } },
      ({ url }, response) => json(response, 200, { object: "list", url: url.pathname, has_more: false, data: [{ id: "cus_1", object: "customer" }] }),
    );
    await serve("stripe", fake);
    const lookup: NonNullable<ConstructorParameters<typeof Agent>[0]>["lookup"] = (_, options, found) =>
      options.all ? found(null, [{ address: "127.0.0.1", family: 4 }]) : found(null, "127.0.0.1", 4);
    const httpAgent = new Agent({ lookup });
    const client = new Stripe(token, { host: STRIPE_HOST, port: keyhole.port, protocol: "http", httpAgent, maxNetworkRetries: 0 });
    expect((await client.customers.list({ limit: 1 })).data.map(({ id }) => id)).toEqual(["cus_1"]);
    expect(fake.asked).toEqual(["GET /v1/customers?limit=1"]);
    const error = await client.customers.create({ name: "x" }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(Stripe.errors.StripePermissionError);
    expect(error).toMatchObject({ statusCode: 403, code: "use-not-allowed" });
    expect(fake.asked).toHaveLength(1);
    httpAgent.destroy();
  });
});

describe("Octokit, with an address and a token of Keyhole's", () => {
  it("uploads a file of a release to the address that the API names for that, which leads through Keyhole", async () => {
    const refused = { message: "Bad credentials" };
    const path = "/repos/acme/api/releases/1";
    const uploads = await startFakeApi(KEYS.github, bearerOf, refused, ({ url, body }, response) =>
      json(response, 201, { name: url.searchParams.get("name"), size: body.length, url: `${api.origin}${path}/assets/7` }),
    );
    const api: FakeApi = await startFakeApi(KEYS.github, bearerOf, refused, (_, response) =>
      json(response, 200, { id: 1, upload_url: `${uploads.origin}${path}/assets{?name,label}` }),
    );
    apis.push(uploads);
    const { allow, urlFields } = presetOf("github");
    const rules = [...allow, { methods: ["POST"], paths: ["/repos/acme/api/releases/*/assets"] }];
    const origins = { "": api.origin, uploads: uploads.origin };
    await serve("github", api, { origin: undefined, origins, allow: rules, url_fields: urlFields });
    const octokit = new Octokit({ baseUrl: `${keyhole.url}/use/github`, auth: token });
    const { data: release } = await octokit.rest.repos.getRelease({ owner: "acme", repo: "api", release_id: 1 });
    const { data } = await octokit.request({ method: "POST", url: release.upload_url, name: "a b.zip", data: Buffer.alloc(100_000) });
    expect(data).toEqual({ name: "a b.zip", size: 100_000, url: `${keyhole.url}/use/github${path}/assets/7` });
    // This method has an address of its own, which it takes in place of the client's.
    const there = { owner: "acme", repo: "api", release_id: 1, name: "b.zip", data: "b", baseUrl: `${keyhole.url}/use/github/~uploads` };
    expect((await octokit.rest.repos.uploadReleaseAsset(there)).data.name).toBe("b.zip");
    expect(uploads.asked).toEqual([`POST ${path}/assets?name=a%20b.zip`, `POST ${path}/assets?name=b.zip`]);
  });

  it("reads all pages by the links of the API, which lead through Keyhole", async () => {
    const fake: FakeApi = await startFakeApi(KEYS.github, bearerOf, { message: "Bad credentials" }, ({ url }, response) => {
      const page = Number(url.searchParams.get("page") ?? 1);
      const next = page < 3 ? { Link: `<${fake.origin}/repos/acme/api/issues?per_page=1&page=${page + 1}>; rel="next"` } : {};
      json(response, 200, [{ number: page }], next);
    });
    await serve("github", fake);
    const octokit = new Octokit({ baseUrl: `${keyhole.url}/use/github`, auth: token });
    const issues = await octokit.paginate(octokit.rest.issues.listForRepo, { owner: "acme", repo: "api", per_page: 1 });
    expect(issues.map(({ number }) => number)).toEqual([1, 2, 3]);
    const error = await octokit.rest.repos.delete({ owner: "acme", repo: "api" }).catch((error: unknown) => error);
    expect(error).toMatchObject({ name: "HttpError", status: 403 });
    expect(fake.asked).toHaveLength(3);
  });
});

describe("AWS's library, with an address and the token as its session token", () => {
  const pair = { id: "AKIDOFKEYHOLE0123456", secret: "aws-secret-0123456789+/abcdefghijklmnopq" };
  const objects = new Map<string, Buffer>();
  const xml = (text: string) => `<?xml version="1.0" encoding="UTF-8"?>${text}`;
  let fake: FakeApi;
  let client: S3Client;
  const connect = (sessionToken: string) =>
    new S3Client({
      region: "eu-central-1",
      endpoint: `${keyhole.url}/use/s3`,
      forcePathStyle: true,
      maxAttempts: 1,
      credentials: { accessKeyId: "any", secretAccessKey: "any", sessionToken },
    });

  beforeAll(async () => {
    const keyOf: Parameters<typeof startFakeApi>[1] = (request, body) => (isSignedWith(pair, request, body) ? "signed" : undefined);
    fake = await startFakeApi("signed", keyOf, {}, ({ request, url, body }, response) => {
      const path = decodeURIComponent(url.pathname);
      if (request.method === "PUT") {
        objects.set(path, body);
        return void response.writeHead(200, { ETag: '"1"' }).end();
      }
      if (url.searchParams.get("list-type") === "2")
        return void response.end(
          xml(
            `<ListBucketResult><Name>bucket</Name><KeyCount>1</KeyCount>${[...objects.keys()].map((key) => `<Contents><Key>${key.slice("/bucket/".length)}</Key></Contents>`).join("")}</ListBucketResult>`,
          ),
        );
      const found = objects.get(path);
      if (found) return void response.end(found);
      response
        .writeHead(404, { "Content-Type": "application/xml" })
        .end(xml(`<Error><Code>NoSuchKey</Code><Message>not with ${pair.secret}</Message></Error>`));
    });
    apis.push(fake);
    await keyhole.setSecret("S3_ID", pair.id);
    const inject = [{ in: "aws-sigv4", access_key_id: "${S3_ID}", secret_access_key: "${S3_KEY}", services: ["s3"] }];
    const allow = [
      { methods: ["PUT", "GET"], paths: ["/bucket/dir/**"] },
      { methods: ["GET"], paths: ["/bucket/"] },
    ];
    await keyhole.serve("s3", pair.secret, { origin: fake.origin, inject, allow });
    client = connect(token);
  });
  afterAll(() => client?.destroy());

  it("writes, reads and lists objects of whatever name, by signatures that are the service's", async () => {
    for (const name of ["a b", "ü+~*()'!", "a/b.c", "%25"]) {
      const Key = `dir/${name}`;
      await client.send(new PutObjectCommand({ Bucket: "bucket", Key, Body: `of ${name}` }));
      const { Body } = await client.send(new GetObjectCommand({ Bucket: "bucket", Key }));
      expect(await Body?.transformToString()).toBe(`of ${name}`);
    }
    const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: "bucket", Prefix: "dir/ü & b=c", MaxKeys: 2 }));
    expect(Contents?.map(({ Key }) => Key)).toContain("dir/ü+~*()'!");
  });

  it("sends a body of 8 MiB", async () => {
    const Body = Buffer.alloc(8 * 2 ** 20, "x");
    await client.send(new PutObjectCommand({ Bucket: "bucket", Key: "dir/large", Body }));
    expect(objects.get("/bucket/dir/large")?.equals(Body)).toBe(true);
  });

  it("says what the API and what Keyhole refuse in the library's own classes, without the key", async () => {
    const none = await client.send(new GetObjectCommand({ Bucket: "bucket", Key: "dir/none" })).catch((error: unknown) => error);
    expect(none).toMatchObject({ name: "NoSuchKey", message: `not with ${"*".repeat(pair.secret.length)}` });
    const before = fake.asked.length;
    const refused = await client.send(new GetObjectCommand({ Bucket: "other", Key: "a" })).catch((error: unknown) => error);
    expect(refused).toMatchObject({ $metadata: { httpStatusCode: 403 } });
    const stranger = connect(`${token}x`);
    expect(await stranger.send(new GetObjectCommand({ Bucket: "bucket", Key: "dir/a b" })).catch((error: unknown) => error)).toMatchObject({
      $metadata: { httpStatusCode: 401 },
    });
    stranger.destroy();
    expect(fake.asked).toHaveLength(before);
  });
});
