import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { fetchFromApp } from "./support/fetch-from-app.ts";

const reply = await fetchFromApp("/docs");
const page = await reply.text();
const api = (await (await fetchFromApp("/openapi.json")).json()) as { paths: Record<string, Record<string, { operationId: string }>> };
const operationIds = Object.values(api.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));

it("shows every operation, and links to it", () => {
  for (const id of operationIds) {
    expect(page).toContain(`<article id="${id}">`);
    expect(page).toContain(`href="#${id}"`);
  }
});

it("is HTML in UTF-8 that any cache may keep for a while", () => {
  expect(reply.headers.get("Content-Type")).toMatch(/^text\/html; charset=utf-8$/i);
  expect(reply.headers.get("Cache-Control")).toBe("public, max-age=300");
});

it("runs nothing and loads nothing", () => {
  expect(page).not.toMatch(/<(script|link|img|iframe|object|embed|form|base|video|audio)\b|\son\w+=|@import|url\(/i);
  const targets = [...page.matchAll(/\s(?:href|src|action|srcset)="([^"]*)"/g)].map(([, target]) => target ?? "");
  expect(targets.filter((target) => !/^(#\w+|\/openapi\.json|\/docs\/vault)$/.test(target))).toEqual([]);
});

it("forbids a browser to do so, but for the style that is in the page", () => {
  const [, style = ""] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? [];
  const hash = createHash("sha256").update(style).digest("base64");
  expect(reply.headers.get("Content-Security-Policy")).toBe(
    `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
  expect(page).not.toMatch(/\sstyle="/);
});

it("shows commands for the place it is read at", () => {
  expect(page).toContain("https://keyhole.test/v1/scopes/namespace%3Aprod/secrets/OPENAI_API_KEY");
  expect(page).toContain("Authorization: Bearer $TOKEN");
});

it("escapes what it shows", () => {
  expect(page).toContain("team:&lt;name&gt;");
  expect(page).not.toContain("<name>");
});
