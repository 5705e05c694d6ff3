import { afterAll, beforeAll, expect, it } from "vitest";
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
  await other.goto(`${place.origin}/console/secrets/new`);
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
