import { expect, it } from "vitest";
import { call, put, resolve } from "./support/call.ts";

it("sets a secret, shows its metadata and resolves its value", async () => {
  const set = await put("global", "OPENAI_API_KEY", "sk-first");
  expect(set.status).toBe(201);
  expect(set.body).toMatchObject({ name: "OPENAI_API_KEY", scope: "global", version: 1, changed: true });

  const listed = await call("GET /v1/secrets");
  expect(listed.body.secrets).toHaveLength(1);
  expect(listed.text).not.toContain("sk-first");

  const resolved = await resolve({ names: ["OPENAI_API_KEY"] });
  expect(resolved.status).toBe(200);
  expect(resolved.body.secrets.OPENAI_API_KEY).toMatchObject({ value: "sk-first", encoding: "utf8", scope: "global", version: 1 });
  expect(resolved.body.searched).toEqual(["global", "builtin"]);
});
