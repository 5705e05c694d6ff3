import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openPlace, type Place, type Visit } from "./support/place.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** What somebody with other intentions writes wherever there is room. */
const MARKUP = `"><img src=x onerror="window.taken=1"><svg onload="window.taken=1">\${alert(1)}`;
const ORG = "looks";

let place: Place;
let token: string;
let id: string;

beforeAll(async () => {
  place = await openPlace();
  token = await place.tokenOf(ORG);
  const agent = { "User-Agent": `curl ${MARKUP}` };
  const put = async (scope: string, name: string, body: object) => {
    const reply = await place.call(token, "PUT", `/v1/scopes/${encodeURIComponent(scope)}/secrets/${name}`, { value: "v-0123456789", ...body }, agent);
    expect(reply.status).toBeLessThan(300);
    return ((await reply.json()) as { id: string }).id;
  };
  id = await put("namespace:prod", "DATABASE_URL", { description: MARKUP, labels: { team: MARKUP }, hosts: ["api.openai.com"] });
  await put("namespace:prod", "DATABASE_URL", { value: "another-0123456789" });
  await put("repo:acme/payments", "DATABASE_URL", { rotate_after_days: 1, expires_at: new Date(Date.now() + 864e5).toISOString() });
  await put("global", "WEBHOOK", { locked: true, hosts: ["vault.example.com"] });
  await put("global", "DELETED", {});
  const done = [
    ["DELETE", "/v1/scopes/global/secrets/DELETED"],
    ["PUT", "/v1/scopes/repo:acme%2Fpayments", { parent: "namespace:prod" }],
    ["POST", "/v1/tokens", { label: MARKUP, permissions: ["secrets:resolve"], secret_scopes: ["repo:acme/*"], expires_in: 3600 }],
    ["PUT", "/v1/services/openai", { preset: "openai", secret: "DATABASE_URL", scopes: ["namespace:prod"], uses_per_minute: 60 }],
    ["PUT", "/v1/trusts/github", { issuer: "https://i.example.org/<b>x</b>", claims: { sub: `a"'<i>/*` }, permissions: ["secrets:read"], audience: MARKUP }],
    [
      "PUT",
      "/v1/stores/vault-prod",
      {
        kind: "vault",
        address: "https://vault.example.com",
        mount: "secret",
        credentials: { token: { secret_key_ref: { scope: "global", store: "WEBHOOK" } } },
      },
    ],
  ] as const;
  for (const [method, path, body] of done) {
    const reply = await place.call(token, method, path, body, agent);
    expect(reply.ok, path).toBe(true);
  }
});
afterAll(() => place?.close());

/** All pages, by their addresses. */
const pages = () => [
  ...["/secrets", "/secrets?show=deleted", "/secrets/new", `/secrets/${id}`, `/secrets/${id}/value`, `/secrets/${id}/value?way=generate`, "/import"],
  ...["/origin?scope=repo:acme/payments", "/scopes", "/tokens", "/trusts", "/trusts/new", "/trusts/new?kind=other", "/trusts/github"],
  ...["/services", "/services/new", "/services/openai", "/stores", "/audit", "/health", "/session", "/no-such-page", "/login"],
];

/** What axe finds on the page as it is. */
async function violations({ page }: Visit): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => (window as unknown as { axe: { run: () => Promise<AxeResults> } }).axe.run());
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}

describe.each([
  { size: "wide", scheme: "light", viewport: { width: 1280, height: 800 } },
  { size: "narrow", scheme: "dark", viewport: { width: 360, height: 740 } },
] as const)("$size and $scheme", ({ scheme, viewport }) => {
  it("has no barrier, nothing beside the screen, no error, no violation of the policy and no foreign request on any page", async () => {
    const visit = await place.visit({ viewport, colorScheme: scheme });
    await visit.logIn(token);
    for (const path of pages()) {
      await visit.open(path);
      expect(await violations(visit), path).toEqual([]);
      const beside = await visit.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(beside, path).toBe(0);
      // What is shown is text, whatever it says.
      expect(
        await visit.page.evaluate(() => [("taken" in window) as boolean, document.querySelectorAll("img[src=x], main b, main i, svg[onload]").length]),
        path,
      ).toEqual([false, 0]);
    }
    expect(visit.troubles).toEqual([]);
    await visit.context.close();
  });
});

it("shows what is no plain text as it is, letter by letter", async () => {
  const { page, logIn, open, context } = await place.visit();
  await logIn(token);
  await open(`/secrets/${id}`);
  await page.getByText(MARKUP, { exact: true }).first().waitFor();
  await open("/tokens");
  await page.getByText(MARKUP, { exact: true }).first().waitFor();
  await open("/audit");
  await page.getByRole("listitem").filter({ hasText: "store.put" }).getByText("Details of event").locator("..").click();
  await page.getByText(`curl ${MARKUP}`, { exact: true }).first().waitFor();
  await open(`/secrets?label=${encodeURIComponent(`team:${MARKUP}`)}`);
  expect(await page.getByLabel("Label (key:value)").inputValue()).toBe(`team:${MARKUP}`);
  expect(await page.evaluate(() => "taken" in window)).toBe(false);
  await context.close();
});

it("is within a second of its address on a machine of one's own", async () => {
  const { page, logIn, open, context } = await place.visit();
  await logIn(token);
  const started = Date.now();
  await page.goto(`${place.origin}/console/secrets`);
  await page.getByRole("rowheader").first().waitFor();
  console.error(`the first view: ${Date.now() - started} ms`);
  const painted = await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? Number.POSITIVE_INFINITY);
  expect(painted).toBeLessThan(1_000);
  await open("/session");
  await context.close();
});
