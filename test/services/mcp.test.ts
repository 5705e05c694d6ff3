import { describe, expect, it } from "vitest";
import { BAD_TOKENS } from "../security/bad-tokens.ts";
import { call, put } from "../support/call.ts";
import { eventsOf } from "../support/events-of.ts";
import { serve, use, VALUE } from "./upstream.ts";

const message = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 1, method, params });
const tool = (name: string, args: object = {}) => message("tools/call", { name, arguments: args });
const textOf = ({ body }: { body: { result: { content: { text: string }[] } } }) => body.result.content.map(({ text }) => text).join("\n");

describe("/mcp", () => {
  it.each(Object.entries(BAD_TOKENS))("refuses %s", async (_, make) => {
    const { status, body } = await call("POST /mcp", { token: await make(), json: message("tools/list") });
    expect([status, body.code]).toEqual([401, "unauthenticated"]);
  });

  it("shows nothing of another organization, nor of what the grant does not cover", async () => {
    const { org } = await serve();
    await put("team:a", "OTHER_KEY", "sk-other-0123456789", { token: { org } });
    const ask = async (json: object, token: object) => textOf(await use("POST /mcp", { token: { org, ...token }, json }));
    expect(await ask(tool("list_secrets"), { org: `${org}-x` })).toBe('{"secrets":[],"next_cursor":null}');
    expect(await ask(tool("http_request", { service: "api", path: "/echo/x" }), { org: `${org}-x` })).toMatch(/^service-not-found:/);
    expect(await ask(tool("list_secrets"), { secret_scopes: ["team:a"] })).not.toContain("API_KEY");
    expect(await ask(tool("explain", { name: "API_KEY" }), { secret_names: ["OTHER_*"] })).toMatch(/^forbidden:/);
    expect(await ask(tool("list_services"), { services: ["billing"] })).toBe('{"services":[],"next_cursor":null}');
    expect(await ask(tool("http_request", { service: "api", path: "/echo/x?key=private" }), { services: ["billing"] })).toMatch(/^forbidden:/);
    expect((await eventsOf(org)).filter(({ outcome }) => outcome === "denied").map(({ action, target }) => [action, target])).toEqual([
      ["secret.read", null],
      ["secret.use", "api GET /echo/x"],
    ]);
  });

  it("puts a use on record as the same request at /use", async () => {
    const { org } = await serve();
    const text = textOf(await use("POST /mcp", { token: { org, scope: "secrets:use" }, json: tool("http_request", { service: "api", path: "/echo/x" }) }));
    expect(text).not.toContain(VALUE);
    expect(await eventsOf(org)).toContainEqual(
      expect.objectContaining({
        action: "secret.use",
        outcome: "allowed",
        target: "api#1 rule 1 GET /echo/x",
        secrets: [expect.objectContaining({ name: "API_KEY" })],
      }),
    );
  });
});
