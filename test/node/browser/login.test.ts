import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PERMISSIONS } from "../../../src/contract/permissions.ts";
import { buildKeyhole } from "../cli/support/start-keyhole.ts";
import { type OpenIdProvider, startOpenIdProvider } from "./support/openid-provider.ts";
import { openPlace, type Place, type Visit } from "./support/place.ts";

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});
afterAll(() => place?.close());

/** Pastes a token, as a person does. */
async function paste({ page, open }: Visit, token: string): Promise<void> {
  await open("/login");
  await page.getByLabel("Token", { exact: true }).fill(token);
  await page.getByRole("button", { name: "Log in with the token" }).click();
  await page.getByRole("heading", { name: "Secrets", level: 1 }).waitFor();
}

it("is logged into with a token that is pasted, and keeps it nowhere", async () => {
  const visit = await place.visit();
  const { page, context, troubles } = visit;
  const token = await place.tokenOf("acme");
  await paste(visit, token);
  const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, document.documentElement.outerHTML]));
  expect(kept).not.toContain(token);
  expect((await context.cookies()).map(({ httpOnly, sameSite }) => ({ httpOnly, sameSite }))).toEqual([{ httpOnly: true, sameSite: "Strict" }]);
  expect(JSON.stringify(await context.cookies())).not.toContain(token);
  expect(troubles).toEqual([]);
  await context.close();
});

it("says what is wrong with a token that is not good, and forgets it", async () => {
  const { page, open, context } = await place.visit();
  await open("/");
  await page.getByLabel("Token", { exact: true }).fill("not-a-token");
  await page.getByRole("button", { name: "Log in with the token" }).click();
  await page.getByRole("alert").waitFor();
  expect(await page.getByLabel("Token", { exact: true }).inputValue()).toBe("");
  await context.close();
});

it("takes a one-time code from the fragment, and out of the address and the history at once", async () => {
  const { page, context, troubles } = await place.visit();
  const code = await place.codeFor(await place.tokenOf("acme"));
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.goto(`${place.origin}/console/login#code=${code}`);
  await page.getByRole("heading", { name: "Secrets", level: 1 }).waitFor();
  expect(page.url()).toBe(`${place.origin}/console/secrets`);
  expect(asked.join("\n")).not.toContain(code);
  await page.goBack();
  expect(page.url()).not.toContain(code);
  expect(troubles).toEqual([]);
  await context.close();
});

it("takes a code from the fragment of the page that is open already, too", async () => {
  const { page, open, context } = await place.visit();
  await open("/login");
  await page.goto(`${place.origin}/console/login#code=${await place.codeFor(await place.tokenOf("acme"))}`);
  await page.getByRole("heading", { name: "Secrets", level: 1 }).waitFor();
  await open("/device");
  await page.goto(`${place.origin}/console/device#user_code=${await waitingDevice()}`);
  await page.getByRole("button", { name: "Let it in to acme" }).waitFor();
  expect(page.url()).toBe(`${place.origin}/console/device`);
  await context.close();
});

it("lets nothing in by a click that was meant for what was in front of it", async () => {
  const { page, logIn, context } = await place.visit();
  await logIn(await place.tokenOf("acme"));
  // A click as soon as there is a button: the second one of two, on a window that the first one has closed.
  await context.addInitScript(() => {
    const click = () => {
      for (const button of document.querySelectorAll<HTMLButtonElement>("main button.primary")) if (button.textContent?.includes("it in to")) button.click();
    };
    new MutationObserver(click).observe(document, { childList: true, subtree: true });
    window.addEventListener("focus", () => requestAnimationFrame(() => requestAnimationFrame(click)));
  });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.postData() ?? ""));
  await page.goto(`${place.origin}/console/device#user_code=${await waitingDevice()}`);
  const yes = page.getByRole("button", { name: "Let it in to acme" });
  await yes.waitFor();
  await page.waitForFunction(() => document.querySelector("main button.primary:enabled"));
  // The window in front has closed only now.
  await page.evaluate(async () => {
    window.dispatchEvent(new Event("focus"));
    for (let n = 0; n < 4; n += 1) await new Promise(requestAnimationFrame);
  });
  expect(asked.filter((body) => body.includes("approved"))).toEqual([]);
  await yes.click();
  await page.getByText("It is let in").waitFor();
  await context.close();
});

/** The code of a program that waits to be let in. */
async function waitingDevice(headers: Record<string, string> = {}): Promise<string> {
  const body = new URLSearchParams({ client_id: "keyhole-cli" });
  const reply = await fetch(`${place.origin}/oauth/device_authorization`, { method: "POST", body, headers });
  return ((await reply.json()) as { user_code: string }).user_code;
}

it("asks before another session takes the place of the one that is open, and says whose it would be", async () => {
  const { page, logIn, context } = await place.visit();
  await logIn(await place.tokenOf("acme"));
  await page.goto(`${place.origin}/console/login#code=${await place.codeFor(await place.tokenOf("strangers"))}`);
  await page.getByRole("heading", { name: "Is this where you want to be logged in?" }).waitFor();
  expect(await page.getByRole("main").innerText()).toMatch(/strangers[\s\S]*ada[\s\S]*Instead of[\s\S]*acme/);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("heading", { name: "Secrets", level: 1 }).waitFor();
  expect(await page.title()).toContain("acme");
  await page.goto(`${place.origin}/console/login#code=${await place.codeFor(await place.tokenOf("strangers"))}`);
  await page.getByRole("button", { name: "Log in to strangers" }).click();
  await page.getByRole("heading", { name: "Secrets", level: 1 }).waitFor();
  expect(await page.title()).toContain("strangers");
  await context.close();
});

it("shows nothing of an organization from the moment on that another tab has logged in to another one", async () => {
  const { page, logIn, context } = await place.visit();
  await logIn(await place.tokenOf("acme"));
  const other = await context.newPage();
  await other.goto(`${place.origin}/console/new/secret`);
  await other.getByLabel("New value").fill("meant-for-acme");
  // From here on the other tab gets no answer to who is logged in.
  await other.route("**/console/api/session", (route) => new Promise((resolve) => setTimeout(() => resolve(route.continue()), 2_000)));
  await page.goto(`${place.origin}/console/login#code=${await place.codeFor(await place.tokenOf("strangers"))}`);
  await page.getByRole("button", { name: "Log in to strangers" }).click();
  await page.getByText("strangers", { exact: true }).first().waitFor();
  await other.getByText("Loading …", { exact: true }).waitFor();
  expect(await other.getByLabel("New value").count()).toBe(0);
  await other.getByText("strangers", { exact: true }).first().waitFor();
  expect(await other.getByLabel("New value").inputValue()).toBe("");
  await context.close();
});

it("is logged out in all tabs when it is in one, and leaves nothing of what they showed", async () => {
  const { page, logIn, context } = await place.visit();
  const token = await place.tokenOf("acme");
  await place.call(token, "PUT", "/v1/scopes/global/secrets/SEEN_IN_BOTH", { value: "v" });
  await logIn(token);
  const other = await context.newPage();
  await other.goto(`${place.origin}/console/secrets`);
  await other.getByRole("link", { name: "SEEN_IN_BOTH" }).waitFor();
  await page.getByRole("button", { name: "Log out" }).click();
  for (const tab of [page, other]) {
    await tab.getByRole("heading", { name: "Log in" }).waitFor();
    expect(await tab.content()).not.toContain("SEEN_IN_BOTH");
  }
  await context.close();
});

it("shows the login as soon as the session is over, and not what was there", async () => {
  const { page, logIn, context } = await place.visit();
  const token = await place.tokenOf("acme");
  await logIn(token);
  await context.clearCookies();
  // What the page asks by itself may have found it out already: then there is no link any more.
  const login = page.getByRole("heading", { name: "Log in" });
  await page.getByRole("link", { name: "Scopes" }).or(login).first().click();
  await login.waitFor();
  await context.close();
});

/** A login of acme by a provider, as somebody there sets it up. */
async function setUpLogin(secret: string | undefined): Promise<OpenIdProvider> {
  const provider = await startOpenIdProvider({ secret, callback: `${place.origin}/console/callback/acme/work` });
  const token = await place.tokenOf("acme");
  if (secret !== undefined) await place.call(token, "PUT", "/v1/scopes/global/secrets/CLIENT_SECRET", { value: secret, hosts: ["127.0.0.1"] });
  const client = {
    issuer: provider.issuer,
    client_id: provider.clientId,
    ...(secret !== undefined && { client_secret: { scope: "global", name: "CLIENT_SECRET" } }),
  };
  const login = { ...client, claims: { groups: "staff" }, permissions: PERMISSIONS.filter((permission) => !permission.startsWith("backup")) };
  const made = await place.call(token, "PUT", "/v1/logins/work", login);
  expect([await made.json(), made.ok]).toEqual([expect.objectContaining({ name: "work" }), true]);
  return provider;
}

/** What a person does at the provider. */
async function logInThere(page: Page): Promise<void> {
  await page.getByPlaceholder("Enter any login").fill("grace");
  await page.getByPlaceholder("and password").fill("any");
  await page.getByRole("button", { name: "Sign-in" }).click();
  await page.getByRole("button", { name: "Continue" }).click();
}

it.each([
  ["that has a secret", "a-secret-of-the-client-of-thirty-two-letters"],
  ["that proves itself by PKCE alone", undefined],
])("is logged into at the organization's provider, by a client %s", async (_, secret) => {
  const provider = await setUpLogin(secret);
  const { page, context, troubles } = await place.visit();
  await page.goto(`${place.origin}/console/audit`);
  await page.getByRole("textbox", { name: "Organization" }).fill("nobody-is-called-so");
  await page.getByRole("button", { name: "Show its logins" }).click();
  await page.getByText("There are no logins for nobody-is-called-so.").waitFor();
  await page.getByRole("textbox", { name: "Organization" }).fill("acme");
  await page.getByRole("button", { name: "Show its logins" }).click();
  await page.getByRole("button", { name: "Log in to acme with work" }).click();
  await logInThere(page);
  await page.getByRole("heading", { name: "Audit log", level: 1 }).waitFor();
  expect(page.url()).toBe(`${place.origin}/console/audit`);
  expect(await page.title()).toContain("acme");
  await page.goto(`${place.origin}/console/session`);
  await page.getByText("login:work:grace").first().waitFor();
  // The provider is on the same host, and cookies know no ports; its own page asks for a font elsewhere.
  const kept = (await context.cookies(place.origin)).map(({ name }) => name);
  expect(kept.filter((name) => name.includes("keyhole"))).toEqual(["keyhole"]);
  expect(troubles.filter((trouble) => ![provider.issuer, "https://fonts.googleapis.com/"].some((theirs) => trouble.includes(theirs)))).toEqual([]);
  await context.close();
  await provider.close();
});

it("lets the command line in, by the browser and by a code of a device", async () => {
  const provider = await setUpLogin(undefined);
  const cli = buildKeyhole();
  const home = mkdtempSync(join(tmpdir(), "keyhole-login-"));
  const { page, context, open } = await place.visit();
  try {
    const browser = startLogin(cli.path, home, "--browser", "--profile", "browser");
    await page.goto(await browser.said(/^ {2}(http\S+)$/m));
    await page.getByRole("textbox", { name: "Organization" }).fill("acme");
    await page.getByRole("button", { name: "Show its logins" }).click();
    await page.getByRole("button", { name: "Log in to acme with work" }).click();
    await logInThere(page);
    await page.getByRole("heading", { name: "Log in the command line?", level: 1 }).waitFor();
    await page.getByRole("button", { name: "Log it in to acme" }).click();
    await page.getByText("You are logged in. Go back to the terminal").waitFor();
    expect([await browser.ended, browser.output()]).toEqual([0, expect.stringContaining("as login:work:grace of acme")]);

    const device = startLogin(cli.path, home, "--device", "--profile", "device");
    const code = await device.said(/^ {2}([A-Z]{4}-[A-Z]{4})$/m);
    await open("/device");
    await page.getByLabel("Code", { exact: true }).fill(code.toLowerCase());
    await page.getByRole("button", { name: "Show what asks" }).click();
    await page.getByRole("button", { name: "Let it in to acme" }).waitFor();
    expect(await page.getByRole("main").innerText()).toMatch(new RegExp(`${code}[\\s\\S]*acme[\\s\\S]*login:work:grace`));
    expect(await page.getByRole("main").innerText()).not.toMatch(/tokens:write|trusts:write|keys:/);
    await page.getByRole("button", { name: "Let it in to acme" }).click();
    await page.getByText("It is let in").waitFor();
    expect(await device.ended).toBe(0);

    const kept = Object.values(JSON.parse(readFileSync(join(home, ".config/keyhole/tokens.json"), "utf8")) as Record<string, string>);
    const may = await Promise.all(
      kept.map(async (token) => ((await (await place.call(token, "GET", "/v1/whoami")).json()) as { permissions: string[] }).permissions),
    );
    expect(may.map((permissions) => permissions.includes("tokens:write")).sort()).toEqual([false, true]);
  } finally {
    await context.close();
    await provider.close();
    cli.remove();
    rmSync(home, { recursive: true, force: true });
  }
});

/** A `keyhole login` that waits for somebody. */
function startLogin(path: string, home: string, ...args: string[]) {
  // Without a PATH no browser is opened: the test is the one.
  const child = spawn(process.execPath, [path, "login", place.origin, "--plain-file", ...args], { env: { HOME: home }, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (more: string) => {
      text += more;
      for (const listener of listeners) listener();
    });
  const ended = new Promise<number | null>((resolve) => void child.once("close", resolve));
  const said = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(text)?.[1];
        if (found !== undefined) resolve(found);
      };
      listeners.add(look);
      look();
      void ended.then(() => reject(new Error(text)));
    });
  return { ended, said, output: () => text };
}
