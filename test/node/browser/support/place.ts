import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, chromium as playwright } from "playwright-core";
import { inject } from "vitest";
import { signToken } from "../../../../scripts/sign-token.ts";
import { PERMISSIONS } from "../../../../src/contract/permissions.ts";
import { TEST_SECRETS } from "../../../support/test-secrets.ts";

/** The browser and the Keyhole of this run, for the tests of one file. */
export interface Place {
  readonly origin: string;
  /** A token of an organization, with all permissions and for `ada`, unless others are given. */
  readonly tokenOf: (org: string, permissions?: readonly string[], subject?: string) => Promise<string>;
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
  /** Gives the browser a session, as a login with this token does, and opens the secrets. */
  readonly logIn: (token: string) => Promise<void>;
  /** Goes to a page of the console, and waits until it has loaded what it shows. */
  readonly open: (path: string) => Promise<void>;
  /** The same as a link within the console does it: nothing is loaded anew. */
  readonly move: (path: string) => Promise<void>;
}

/** What the console's own requests have. */
export const OF_THE_CONSOLE = { "Keyhole-Console": "1", "Sec-Fetch-Site": "same-origin" };

/** Comes to the browser and the Keyhole of this run (`serve-place.ts`). */
export async function openPlace(): Promise<Place> {
  const { origin, browser: address } = inject("place");
  const browser = await playwright.connect(address);
  return {
    origin,
    tokenOf: (org, permissions = PERMISSIONS, subject = "ada") =>
      signToken(TEST_SECRETS.SIGNING_KEY, { org, subject, permissions: permissions.join(" "), ttl: 3600, issuer: "keyhole", audience: "keyhole" }),
    async codeFor(token) {
      const headers = { ...OF_THE_CONSOLE, "Content-Type": "application/json" };
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
    close: () => browser.close(),
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
  // What a page shows before anything has come, and while something comes.
  const loaded = () => page.waitForFunction(() => document.querySelector("h1") !== null && document.querySelector(".loading, [aria-busy=true]") === null);
  const open = async (path: string) => {
    await page.goto(`${origin}/console${path}`);
    await loaded();
  };
  const move = async (path: string) => {
    await page.evaluate(async (address) => {
      history.pushState(null, "", address);
      window.dispatchEvent(new PopStateEvent("popstate"));
      // By then the page of the address is there, with what it waits for.
      await new Promise((resolve) => setTimeout(resolve));
    }, `/console${path}`);
    await loaded();
  };
  const logIn = async (token: string) => {
    const reply = await context.request.post(`${origin}/console/api/session`, { headers: OF_THE_CONSOLE, data: { token } });
    if (!reply.ok()) throw new Error(`the login is refused: ${reply.status()} ${await reply.text()}`);
    await open("/secrets");
  };
  return { context, page, troubles, logIn, open, move };
}
