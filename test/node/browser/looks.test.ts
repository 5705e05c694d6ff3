import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { OF_THE_CONSOLE, openPlace, type Place, type Visit } from "./support/place.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
/** What somebody with other intentions writes wherever there is room. */
const MARKUP = `"><img src=x onerror="window.taken=1"><svg onload="window.taken=1">\${alert(1)}`;
/** The same where no space may be. */
const UNSPACED = "https://i.example.org/<img/src=x/onerror=window.taken=1>";
const ORG = "looks";

let place: Place;
let token: string;
let id: string;
let userCode: string;

beforeAll(async () => {
  place = await openPlace();
  token = await place.tokenOf(ORG, undefined, `ada ${MARKUP}`);
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
    ["PUT", "/v1/logins/google", { issuer: "https://accounts.google.com", client_id: "c", claims: { hd: "acme.example" }, permissions: ["secrets:read"] }],
    ["PUT", "/v1/trusts/github", { issuer: UNSPACED, claims: { sub: MARKUP }, permissions: ["secrets:read"], audience: MARKUP }],
    [
      "PUT",
      "/v1/logins/work",
      { issuer: UNSPACED, client_id: MARKUP, claims: { sub: MARKUP }, permissions: ["secrets:read"], client_secret: { scope: "global", name: "WEBHOOK" } },
    ],
    ["PUT", "/v1/webhooks/on-call", { url: "https://hooks.example.com/<img/src=x/onerror=window.taken=1>", events: ["secret.expired", "calls.refused"] }],
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
    expect(reply.ok, `${path}: ${await reply.text()}`).toBe(true);
  }
  const asks = await fetch(`${place.origin}/oauth/device_authorization`, {
    method: "POST",
    body: new URLSearchParams({ client_id: "keyhole-cli" }),
    headers: agent,
  });
  userCode = ((await asks.json()) as { user_code: string }).user_code;
  // No rule of the service allows this path: it is on record as it was asked for.
  expect((await place.call(token, "GET", `/use/openai/v1/${encodeURIComponent(MARKUP)}`, undefined, agent)).status).toBe(403);
});
afterAll(() => place?.close());

/** All pages, by their addresses. */
const pages = () => [
  ...["/secrets", "/secrets?show=deleted", "/new/secret", `/secrets/${id}`, `/secrets/${id}/value`, `/secrets/${id}/value?way=generate`, "/import"],
  ...["/origin?scope=repo:acme/payments", "/scopes", "/tokens", "/trusts", "/new/trust", "/new/trust?kind=other", "/trusts/github"],
  ...["/logins", "/new/login", "/logins/work", "/webhooks", "/new/webhook", "/webhooks/on-call"],
  ...[
    "/services",
    "/new/service",
    "/services/openai",
    "/stores",
    "/new/store",
    "/stores/vault-prod",
    "/audit",
    "/health",
    "/session",
    "/no-such-page",
    "/device",
    `/authorize?${new URLSearchParams({ redirect_uri: "http://127.0.0.1:49152/callback", code_challenge: "A".repeat(43) })}`,
    `/device#user_code=${userCode}`,
    "/login",
    `/login?organization=${ORG}&refused=login`,
  ],
];

/** What axe finds on the page as it is: by all its rules, or by some. */
async function violations({ page }: Visit, rules?: readonly string[]): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(
    (rules) =>
      (window as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe.run({
        resultTypes: ["violations"],
        ...(rules && { runOnly: rules }),
      }),
    rules,
  );
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target} ${failureSummary}`));
}

/** Whether something that was shown ran, or became more than text. */
const taken = ({ page }: Visit) => page.evaluate(() => "taken" in window || document.querySelectorAll("img[src=x], svg[onload], [onerror]").length > 0);

describe.each([
  { size: "narrow", scheme: "dark", viewport: { width: 360, height: 740 }, rules: undefined },
  // What depends on colours and on the width; the rest of the page is the same.
  { size: "wide", scheme: "light", viewport: { width: 1280, height: 800 }, rules: ["color-contrast", "link-in-text-block", "target-size"] },
] as const)("$size and $scheme", ({ scheme, viewport, rules }) => {
  it("has no barrier, the organization on the screen, nothing beside it, no error, no violation of the policy and no foreign request on any page", async () => {
    const visit = await place.visit({ viewport, colorScheme: scheme });
    const { page, troubles } = visit;
    await visit.logIn(token);
    for (const path of pages()) {
      await visit.move(path);
      expect(await violations(visit, rules), path).toEqual([]);
      const beside = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(beside, path).toBe(0);
      expect(await page.getByText(ORG, { exact: true }).first().isVisible(), path).toBe(true);
      if (!path.startsWith("/login")) expect(await page.title(), path).toContain(ORG);
    }
    expect(troubles).toEqual([]);
    await visit.context.close();
  });
});

it("shows what is no plain text letter by letter, in every field of every page", async () => {
  const visit = await place.visit();
  const { page, logIn, move } = visit;
  await logIn(token);
  const [inAddress, encoded] = [encodeURIComponent(MARKUP), encodeURIComponent(encodeURIComponent(MARKUP).replaceAll("'", "%27"))];
  const shown: readonly (readonly [field: string, path: string, text: string])[] = [
    ["who changed a secret", "/secrets", `by ada ${MARKUP}`],
    ["the value of a label", "/secrets", `team: ${MARKUP}`],
    ["a description", `/secrets/${id}`, MARKUP],
    ["who set a version", `/secrets/${id}`, `by ada ${MARKUP}`],
    ["a token's label", "/tokens", MARKUP],
    ["a trust's issuer", "/trusts", UNSPACED],
    ["a trust's claim", "/trusts", `sub=${MARKUP}`],
    ["a trust's audience", "/trusts/github", MARKUP],
    ["a login's provider", "/logins", UNSPACED],
    ["a login's claim", "/logins", `sub=${MARKUP}`],
    ["a login's client", "/logins/work", MARKUP],
    ["who changed a webhook", "/webhooks", `by ada ${MARKUP}`],
    ["who changed a store", "/stores", `by ada ${MARKUP}`],
    ["who changed a service", "/services/openai", `by ada ${MARKUP}`],
    ["the subject of the session", "/session", `ada ${MARKUP}`],
    ["an actor", "/audit", `ada ${MARKUP}`],
    ["a user agent", "/audit", `curl ${MARKUP}`],
    ["a path of a use", "/audit", `openai GET /v1/${decodeURIComponent(encoded)}`],
    ["the program of a device", `/device#user_code=${userCode}`, `curl ${MARKUP}`],
    ["where an answer would go", `/authorize?redirect_uri=${inAddress}`, MARKUP],
    // What no name can be is still what an address says.
    ["the name of a trust", `/trusts/${inAddress}`, MARKUP],
    ["the name of a service", `/services/${inAddress}`, MARKUP],
    ["the id of a secret", `/audit?secret_id=${encodeURIComponent(MARKUP.slice(0, 64))}`, MARKUP.slice(0, 64)],
  ];
  let at = "";
  for (const [field, path, text] of shown) {
    if (path !== at) await move(path);
    at = path;
    // The folded details are in the page, too.
    await page.getByText(text).first().waitFor({ state: "attached" });
    expect(await taken(visit), field).toBe(false);
  }
  for (const [label, path, text] of [
    ["Name begins with", "/secrets?prefix=", MARKUP],
    ["Label (key:value)", "/secrets?label=", `team:${MARKUP}`],
    ["Scope, or several with commas", "/origin?scope=", MARKUP],
    ["Actor", "/audit?actor=", MARKUP],
    ["Organization", "/login?refused=login&organization=", MARKUP],
  ] as const) {
    await move(`${path}${encodeURIComponent(text)}`);
    expect(await page.locator("input").and(page.getByLabel(label)).inputValue()).toBe(text);
    expect(await taken(visit), path).toBe(false);
  }
  // What an error says of what was given.
  await move("/new/trust?kind=other");
  for (const [label, text] of Object.entries({ Name: "other", Issuer: UNSPACED, Claims: `sub=${MARKUP}*` }))
    await page.getByLabel(label, { exact: true }).fill(text);
  await page.getByRole("button", { name: "Trust this issuer" }).click();
  await page.getByRole("alert").getByText(`write ${MARKUP}/*`).waitFor();
  expect(await taken(visit), "an error").toBe(false);
  await visit.context.close();
});

it("shows nothing but text of replies in which every text is markup, also where no such name can be stored", async () => {
  const visit = await place.visit();
  const { page, logIn, move, context } = visit;
  await logIn(token);
  // Times and words of one kind say which reply it is, and not what is shown.
  const hostile = (_: string, value: unknown) => (typeof value === "string" && !/^[\d-]+T[\d:.]+Z$/.test(value) ? `${value}${MARKUP}` : value);
  await context.route(/\/console\/api\/(?:v1|readyz)/, async (route) => {
    const response = await route.fetch({ headers: { ...route.request().headers(), ...OF_THE_CONSOLE } });
    expect(response.status(), route.request().url()).toBeLessThan(500);
    await route.fulfill({ response, body: JSON.stringify(JSON.parse(await response.text(), hostile)) });
  });
  for (const path of pages()) {
    await move(path);
    expect(await taken(visit), path).toBe(false);
  }
  await move("/stores");
  // The client lets none of it through as a name: it is refused as no reply of Keyhole's.
  expect(await page.getByRole("alert").or(page.getByText(MARKUP)).count()).toBeGreaterThan(0);
  await context.close();
});

it("is searched in the documentation, which has no barrier and nothing beside a narrow screen", async () => {
  const visit = await place.visit({ viewport: { width: 360, height: 740 }, colorScheme: "dark" });
  const { page, context, troubles } = visit;
  await page.goto(`${place.origin}/docs`);
  const pieces = page.getByRole("main").getByRole("article");
  const all = await pieces.count();
  await page.keyboard.press("/");
  await page.keyboard.type("identity ROLE_ARN");
  await page
    .getByRole("status")
    .filter({ hasText: `of ${all}` })
    .waitFor();
  const found = await pieces.allTextContents();
  expect(found.length).toBeGreaterThan(0);
  expect(found.length).toBeLessThan(all / 4);
  expect(found.filter((text) => !/role_arn/i.test(text) || !/identity/i.test(text))).toEqual([]);
  expect(await violations(visit)).toEqual([]);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  await page.getByLabel("Search").fill("");
  expect(await pieces.count()).toBe(all);
  expect(troubles).toEqual([]);
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
