import { createConfig, lintFromString, type NormalizedProblem } from "@redocly/openapi-core";
import { describe, expect, it } from "vitest";
import { fetchFromApp } from "./support/fetch-from-app.ts";

interface Media {
  readonly schema?: object;
  readonly example?: unknown;
  readonly examples?: Record<string, { value: unknown }>;
}
interface Reply {
  readonly $ref?: string;
  readonly headers?: object;
  readonly content?: Record<string, Media>;
}
interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: string[];
  readonly security?: { token?: string[] }[];
  readonly parameters?: { name: string; in: string; description?: string; example?: unknown }[];
  readonly requestBody?: { content: Record<string, Media> };
  readonly responses: Record<string, Reply>;
}
interface ApiDocument {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { readonly schemas: Record<string, { example?: unknown }>; readonly responses: Record<string, Reply> };
}

const reply = await fetchFromApp("/openapi.json");
const text = await reply.text();
const api = JSON.parse(text) as ApiDocument;
const operations = Object.entries(api.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, path, operation })),
);

// The strict rules, and those that ask for what a reader of the page wants to see. None is switched off.
const config = await createConfig({
  extends: ["recommended-strict"],
  rules: { "operation-tag-defined": "error", "parameter-description": "error", "tag-description": "error", "no-unused-components": "error" },
});

async function lint(source: string): Promise<string[]> {
  const found = await lintFromString({ source, config });
  return found.map(({ ruleId, message, location }: NormalizedProblem) => `${ruleId}: ${message} at ${location[0]?.pointer}`);
}

describe("the linter", () => {
  it("finds nothing wrong with the document", async () => {
    expect(await lint(text)).toEqual([]);
  });

  it.each([
    ["a body", (copy: ApiDocument) => Object.assign(mediaOf(copy, "/v1/secrets", "post"), { example: { scope: "nowhere", name: "A", value: "x" } })],
    ["a reply", (copy: ApiDocument) => Object.assign(replyOf(copy, "/v1/secrets", "get"), { example: { secrets: "none", next_cursor: null } })],
    ["a schema", (copy: ApiDocument) => Object.assign(copy.components.schemas.Secret ?? {}, { example: { id: 1 } })],
  ])("would find an example that does not fit the schema of %s", async (_, spoil) => {
    const copy = structuredClone(api);
    spoil(copy);
    expect((await lint(JSON.stringify(copy))).join("\n")).toMatch(/no-invalid-(media-type|schema)-examples/);
  });
});

function mediaOf(document: ApiDocument, path: string, method: string): Media {
  return document.paths[path]?.[method]?.requestBody?.content["application/json"] ?? {};
}

function replyOf(document: ApiDocument, path: string, method: string): Media {
  return document.paths[path]?.[method]?.responses["200"]?.content?.["application/json"] ?? {};
}

describe("the document", () => {
  it("is OpenAPI 3.1 that any cache may keep for a while", () => {
    expect(api.openapi).toMatch(/^3\.1\./);
    expect(reply.headers.get("Content-Type")).toBe("application/json");
    expect(reply.headers.get("Cache-Control")).toBe("public, max-age=300");
  });

  it.each(["/openapi.json", "/docs", "/healthz", "/v1/resolve"])("describes %s", (path) => {
    expect(Object.keys(api.paths)).toContain(path);
  });

  it("refuses unknown fields in every body", () => {
    for (const name of ["SetSecret", "CreateSecret", "PatchSecret", "Resolve"])
      expect(api.components.schemas[name], name).toMatchObject({ additionalProperties: false });
  });

  it("keeps the bounds and patterns of the schemas that validate", () => {
    expect(api.components.schemas).toMatchObject({
      SecretName: { pattern: "^[A-Za-z_][A-Za-z0-9_.-]{0,127}$" },
      Resolve: { properties: { names: { maxItems: 100 }, scopes: { minItems: 1, maxItems: 5 } } },
      SetSecret: { properties: { expires_at: { type: ["string", "null"], format: "date-time" }, rotate_after_days: { minimum: 1, maximum: 3650 } } },
    });
  });
});

describe.each(operations)("$name", ({ path, operation }) => {
  const { responses } = operation;
  const described = Object.entries(responses).map(([status, response]) => ({ status, response: deref(response) }));

  it("has an operationId, a summary and tags", () => {
    expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
    expect(operation.summary).toMatch(/^[A-Z].*[^.]$/);
    expect(operation.tags).toHaveLength(1);
  });

  it("has problem replies, and the request id in every reply", () => {
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(["4XX", "500"]));
    for (const { status, response } of described) {
      expect(response.headers, status).toHaveProperty("X-Request-Id");
      if (/^[45]/.test(status) && path.startsWith("/v1/")) expect(Object.keys(response.content ?? {}), status).toEqual(["application/problem+json"]);
    }
  });

  it("says which permission it needs, and how it refuses a caller without it", () => {
    const needed = operation.security?.flatMap(({ token }) => token ?? []) ?? [];
    if (path === "/readyz") return expect(operation.security).toEqual([{}, { token: ["keys:read"] }]);
    if (!path.startsWith("/v1/") && path !== "/metrics") return expect(needed).toEqual([]);
    expect(operation.security).toHaveLength(1);
    expect(Object.keys(responses)).toEqual(expect.arrayContaining(["401", "403", "429", "503"]));
  });

  it("has an example of every body and of every parameter", () => {
    const media = [operation.requestBody, ...described.map(({ response }) => response)].flatMap((holder) => Object.entries(holder?.content ?? {}));
    for (const [type, { example, examples }] of media) expect(example ?? examples, type).toBeDefined();
    for (const { name, description, example } of operation.parameters ?? []) {
      expect(example, name).toBeDefined();
      expect(description, name).toBeTruthy();
    }
  });
});

it("documents the headers that tell a client what to do", () => {
  const { responses } = api.components;
  expect(responses.unauthenticated?.headers).toHaveProperty("WWW-Authenticate");
  expect(responses.forbidden?.headers).toHaveProperty("WWW-Authenticate");
  expect(responses["rate-limited"]?.headers).toHaveProperty("Retry-After");
  expect(responses["storage-unavailable"]?.headers).toHaveProperty("Retry-After");
  expect(responses["no-such-route"]?.headers).toHaveProperty("Allow");
});

describe("the description of Vault's wire", async () => {
  const source = await (await fetchFromApp("/openapi-vault.json")).text();
  const wire = JSON.parse(source) as ApiDocument;
  const all = Object.entries(wire.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
  );

  it("has nothing wrong for the linter", async () => {
    expect(await lint(source)).toEqual([]);
  });

  it("has no operation in common with the other", () => {
    const ids = new Set(operations.map(({ operation }) => operation.operationId));
    expect(all.filter(({ operation }) => ids.has(operation.operationId))).toEqual([]);
    expect(Object.keys(wire.paths).filter((path) => path in api.paths)).toEqual([]);
  });

  it("has an example of every body and parameter, and errors in Vault's form only", () => {
    for (const { name, operation } of all) {
      const replies = Object.entries(operation.responses).map(([status, reply]) => {
        const component = reply.$ref?.replace("#/components/responses/", "");
        return { status, reply: component === undefined ? reply : (wire.components.responses[component] ?? {}) };
      });
      for (const { status, reply } of replies) {
        for (const [type, { example, examples }] of Object.entries(reply.content ?? {}))
          expect([type, example ?? examples], `${name} ${status}`).not.toContain(undefined);
        expect(Object.keys(reply.content ?? {}).filter((type) => type !== "application/json")).toEqual([]);
        if (/^[45]/.test(status)) expect(JSON.stringify(reply.content), `${name} ${status}`).toContain("VaultErrors");
      }
      for (const { example } of Object.values(operation.requestBody?.content ?? {})) expect(example, name).toBeDefined();
      for (const parameter of operation.parameters ?? []) expect([parameter.example, parameter.description], name).not.toContain(undefined);
      expect(Object.keys(operation.responses).filter((status) => ["401", "409", "410", "412", "415", "422"].includes(status))).toEqual([]);
    }
  });
});

function deref(response: Reply): Reply {
  const name = response.$ref?.replace("#/components/responses/", "");
  return name === undefined ? response : (api.components.responses[name] ?? {});
}
