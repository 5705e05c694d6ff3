import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, chromium as playwright } from "playwright-core";
import { serveWorker } from "../../../../scripts/local/serve-worker.ts";
import { readVars } from "../../../../scripts/settings.ts";
import { signToken } from "../../../../scripts/sign-token.ts";
import { ROOT } from "../../../../scripts/wrangler-config.ts";
import { PERMISSIONS } from "../../../../src/contract/permissions.ts";
import { TEST_SECRETS } from "../../../support/test-secrets.ts";
import { prepareServer } from "../../support/prepare-server.ts";

/** A browser and a Keyhole, for the tests of one file. */
export interface Place {
  readonly origin: string;
  /** A token of an organization, with all permissions unless some are given. */
  readonly tokenOf: (org: string, permissions?: readonly string[]) => Promise<string>;
  /** A code that logs in once. */
  readonly codeFor: (token: string) => Promise<string>;
  /** A call of the API, past the console. */
  readonly call: (token: string, method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<Response>;
  /** A browser profile of its own, which is watched. */
  readonly visit: (options?: BrowserContextOptions) => Promise<Visit>;
  readonly close: () => Promise<void>;
}

/** Somebody at a browser, and what went wrong there. */
export interface Visit {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Errors on the console, violations of the policy, and requests to anywhere else. */
  readonly troubles: string[];
  /** Logs in with a token, and waits for the secrets. */
  readonly logIn: (token: string) => Promise<void>;
  /** Goes to a page of the console, and waits until it has loaded what it shows. */
  readonly open: (path: string) => Promise<void>;
}

// The browser's own sandbox needs what a container does not give. Its rules for pages are all in force.
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

/** Serves the console as it is built, on loopback, and starts a browser. */
export async function openPlace(): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-browser-"));
  if (!existsSync(join(ROOT, "dist/console/index.html"))) throw new Error("the console is not built: npm run test:browser builds it");
  const state = join(folder, "state");
  const prepared = await prepareServer(state);
  const served = await serveWorker({
    port: 0,
    persistTo: state,
    // A provider of the tests is on loopback.
    bindings: { ...readVars(), ...TEST_SECRETS, ALLOW_INSECURE_ISSUERS: "true" },
    prepared,
    period: null,
    onLine: () => undefined,
  });
  const { origin } = served.url;
  const browser = await playwright.launch({ executablePath: await chromium.executablePath(), args: ARGUMENTS });
  return {
    origin,
    tokenOf: (org, permissions = PERMISSIONS) =>
      signToken(TEST_SECRETS.SIGNING_KEY, { org, subject: "ada", permissions: permissions.join(" "), ttl: 3600, issuer: "keyhole", audience: "keyhole" }),
    async codeFor(token) {
      const headers = { "Content-Type": "application/json", "Keyhole-Console": "1", "Sec-Fetch-Site": "same-origin" };
      const reply = await fetch(`${origin}/console/api/codes`, { method: "POST", headers, body: JSON.stringify({ token }) });
      return ((await reply.json()) as { code: string }).code;
    },
    call: (token, method, path, body, headers = {}) =>
      fetch(`${origin}${path}`, {
        method,
        headers: { Authorization: `Bearer ${token}`, ...(body !== undefined && { "Content-Type": "application/json" }), ...headers },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    visit: (options) => visit(browser, origin, options),
    async close() {
      await browser.close();
      await served.stop();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

async function visit(browser: Browser, origin: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(20_000);
  const troubles: string[] = [];
  context.on("console", (message) => {
    // That nobody is logged in yet is an answer, which the browser takes for an error.
    const expected = message.location().url === `${origin}/console/api/session` && message.text().includes("401");
    if (message.type() === "error" && !expected) troubles.push(`console: ${message.text()} (${message.location().url})`);
  });
  context.on("weberror", (error) => troubles.push(`error: ${error.error().message}`));
  context.on("request", (request) => {
    const { protocol, origin: target } = new URL(request.url());
    if (target !== origin && protocol !== "blob:") troubles.push(`foreign request: ${request.url()}`);
  });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => console.error(`policy: ${violatedDirective} ${blockedURI}`));
  });
  const page = await context.newPage();
  const open = async (path: string) => {
    await page.goto(`${origin}/console${path}`);
    // What a page shows before anything has come, and while something comes.
    await page.waitForFunction(() => document.querySelector("h1") !== null && document.querySelector(".loading, [aria-busy=true]") === null);
  };
  const logIn = async (token: string) => {
    await open("/login");
    await page.getByLabel("Token", { exact: true }).fill(token);
    await page.getByRole("button", { name: "Log in with the token" }).click();
    await page.getByRole("heading", { name: "Secrets", level: 1 }).waitFor();
  };
  return { context, page, troubles, logIn, open };
}
