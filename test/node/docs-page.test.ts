import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../../scripts/wrangler-config.ts";
import { fetchFromApp } from "./support/fetch-from-app.ts";

// A path that the type checker does not follow: what builds runs before anything that could compile it.
const BUILD = join(ROOT, "scripts/build-documentation.mjs");
const { buildDocumentation } = (await import(BUILD)) as { buildDocumentation(root: string, outdir: string): Promise<void> };
const files = await built();
const page = files["docs.html"] ?? "";
const api = (await (await fetchFromApp("/openapi.json")).json()) as { paths: Record<string, Record<string, { operationId: string }>> };
const operationIds = Object.values(api.paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));

/** What is built, by the names of the files. */
async function built(): Promise<Record<string, string>> {
  const out = mkdtempSync(join(tmpdir(), "keyhole-docs-"));
  try {
    mkdirSync(join(out, "console"));
    await buildDocumentation(ROOT, out);
    return Object.fromEntries(readdirSync(join(out, "console")).map((name) => [name, readFileSync(join(out, "console", name), "utf8")]));
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** The binding that has the built files. */
const CONSOLE = {
  fetch: async (url: URL) => new Response(files[url.pathname.slice(1)] ?? null, { status: url.pathname.slice(1) in files ? 200 : 404 }),
};

it("shows every operation and every guide, and links to them", () => {
  for (const id of operationIds) {
    expect(page).toContain(`<article id="${id}">`);
    expect(page).toContain(`href="#${id}"`);
  }
  for (const name of readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md")))
    expect(page).toContain(`<article id="guide-${name.slice(0, -3)}">`);
});

it("has a place for each link within it", () => {
  const ids = new Set([...page.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id));
  const targets = [...page.matchAll(/href="#([^"]*)"/g)].map(([, target]) => decodeURIComponent(target ?? ""));
  expect(targets.filter((target) => !ids.has(target))).toEqual([]);
});

it("is HTML in UTF-8 that any cache may keep for a while", async () => {
  const reply = await fetchFromApp("/docs", { CONSOLE });
  expect(await reply.text()).toBe(page);
  expect(reply.headers.get("Content-Type")).toMatch(/^text\/html; charset=utf-8$/i);
  expect(reply.headers.get("Cache-Control")).toBe("public, max-age=300");
  const vault = await fetchFromApp("/docs/vault", { CONSOLE });
  expect(await vault.text()).toBe(files["docs-vault.html"]);
});

it("is not there where a deployment was made without it", async () => {
  const reply = await fetchFromApp("/docs");
  expect([reply.status, ((await reply.json()) as { code: string }).code]).toEqual([404, "route-not-found"]);
});

it("loads its own style and script, and nothing else", () => {
  const tags = [...page.matchAll(/<[^>]*>/g)].map(([tag]) => tag);
  expect(tags.filter((tag) => /^<(img|iframe|object|embed|base|video|audio|style)\b|\son\w+=|\sstyle=/i.test(tag))).toEqual([]);
  expect(Object.entries(files).filter(([name, text]) => name.endsWith(".css") && /@import|url\(/.test(text))).toEqual([]);
  const [script, ...more] = tags.filter((tag) => tag.startsWith("<script"));
  expect(more).toEqual([]);
  const loaded = [...page.matchAll(/\s(?:src|srcset|action)="([^"]*)"|<link[^>]* href="([^"]*)"/g)].map(([, a, b]) => (a ?? b ?? "").replace("/console/", ""));
  expect(script).toContain("/console/docs-");
  expect(loaded.map((name) => name in files)).toEqual([true, true]);
});

it("is sent with a policy that lets a browser run nothing else", async () => {
  const policy = (await fetchFromApp("/docs", { CONSOLE })).headers.get("Content-Security-Policy");
  expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
  expect(policy).toContain("frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'");
  expect(policy).not.toContain("unsafe");
});

it("shows commands that a shell with an address and a token takes as they are", () => {
  expect(page).toContain("&quot;$KEYHOLE_URL&quot;&#39;/v1/scopes/namespace%3Aprod/secrets/OPENAI_API_KEY&#39;");
  expect(page).toContain("Authorization: Bearer $TOKEN");
});

it("escapes what it shows", () => {
  expect(page).toContain("team:&lt;name&gt;");
  expect(page).not.toContain("<name>");
});
