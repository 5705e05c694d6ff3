import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openPlace, type Place } from "./support/place.ts";

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});
afterAll(() => place?.close());

/** Sets secrets, each as `scope NAME`. */
async function set(token: string, ...secrets: readonly (readonly [scope: string, name: string, body?: object])[]): Promise<void> {
  for (const [scope, name, body] of secrets) {
    const reply = await place.call(token, "PUT", `/v1/scopes/${encodeURIComponent(scope)}/secrets/${name}`, { value: `value of ${name}`, ...body });
    expect(reply.status, name).toBeLessThan(300);
  }
}

it("shows where everything of a scope comes from, as a picture and as a table", async () => {
  const { page, logIn, context, troubles } = await place.visit();
  const token = await place.tokenOf("origins");
  await set(token, ["repo:acme/web", "NEAR"], ["repo:acme/web", "BOTH"], ["namespace:prod", "BOTH"], ["namespace:prod", "FAR"]);
  await set(token, ["namespace:prod", "LOCKED"], ["team:a", "LOCKED", { locked: true }], ["global", "FAR"]);
  await place.call(token, "PUT", "/v1/scopes/repo:acme%2Fweb", { parent: "namespace:prod" });
  await place.call(token, "PUT", "/v1/scopes/namespace:prod", { parent: "team:a" });
  await logIn(token);
  await page.getByRole("link", { name: "Where from" }).click();
  await page.getByLabel("Scope, or several with commas").fill("repo:acme/web");
  await page.getByRole("button", { name: "Show" }).click();
  const chain = page.getByRole("list", { name: "The scopes in the order in which they are searched" });
  await chain.waitFor();
  expect(await chain.getByRole("heading").allInnerTexts()).toEqual(["repo\nacme/web", "namespace\nprod", "team\na", "scope\nglobal"]);
  const heldBy = async (scope: string) =>
    (
      await page
        .getByRole("list", { name: `What ${scope} holds` })
        .getByRole("listitem")
        .allTextContents()
    ).sort();
  expect(await heldBy("repo:acme/web")).toEqual(["●BOTH wins", "●NEAR wins"]);
  expect(await heldBy("namespace:prod")).toEqual(["○BOTH shadowed", "○LOCKED shadowed", "●FAR wins"]);
  expect(await heldBy("team:a")).toEqual(["●LOCKED wins, locked"]);
  expect(await heldBy("global")).toEqual(["○FAR shadowed"]);
  const rows = await page.getByRole("table", { name: "Where each name comes from" }).getByRole("row").allInnerTexts();
  expect(rows.slice(1).map((row) => row.replaceAll(/\s+/g, " ").trim())).toEqual([
    "BOTH repo:acme/web 1 namespace:prod",
    "FAR namespace:prod 1 global",
    "LOCKED team:a locked 1 namespace:prod",
    "NEAR repo:acme/web 1",
  ]);
  expect(await page.content()).not.toContain("value of");
  // Nothing has been resolved for it.
  const log = (await (await place.call(token, "GET", "/v1/audit?action=secret.resolve")).json()) as { events: unknown[] };
  expect(log.events).toEqual([]);
  expect(troubles).toEqual([]);
  await context.close();
});

it("tells who had a secret and when, goes on telling, and lets the log be taken along and checked", async () => {
  const { page, logIn, context, troubles } = await place.visit();
  const token = await place.tokenOf("audited");
  await set(token, ["global", "WATCHED"], ["global", "ELSE"]);
  await place.call(token, "POST", "/v1/resolve", { names: ["WATCHED"] });
  await logIn(token);
  await page.getByRole("link", { name: "WATCHED" }).click();
  await page.getByRole("link", { name: "Who had it, and when" }).click();
  await page.getByRole("listitem").filter({ hasText: "secret.resolve" }).filter({ hasText: "WATCHED v1" }).waitFor();
  const events = page.getByRole("main").getByRole("listitem");
  expect(await events.count()).toBe(1);
  await page.getByLabel("Live").check();
  await place.call(token, "POST", "/v1/resolve", { names: ["WATCHED"] });
  await events.nth(1).waitFor();
  await page.getByRole("button", { name: "Check the seal" }).click();
  await page.getByText("are as they were signed").waitFor();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export" }).click();
  const lines = (await text(await (await download).createReadStream())).trim().split("\n");
  expect(lines.map((line) => JSON.parse(line).action)).toEqual(["secret.resolve", "secret.resolve"]);
  expect(troubles).toEqual([]);
  await context.close();
});

it("mints a token that is taken along as a file and is never in the page, and revokes it", async () => {
  const { page, logIn, open, context, troubles } = await place.visit();
  const token = await place.tokenOf("minting");
  await logIn(token);
  await open("/tokens");
  await page.getByText("Mint a token").click();
  await page.getByLabel("Label").fill("ci");
  await page.getByLabel("Only these scopes").fill("repo:acme/*");
  await page.getByRole("button", { name: "Mint" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save it as a file" }).click();
  const minted = await text(await (await download).createReadStream());
  const whoami = (await (await place.call(minted, "GET", "/v1/whoami")).json()) as object;
  expect(whoami).toMatchObject({ permissions: ["secrets:resolve"], secret_scopes: ["repo:acme/*"] });
  expect(await page.content()).not.toContain(minted);
  await page.getByRole("button", { name: "Revoke ci" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await page.getByText("ci is revoked.").waitFor();
  expect((await place.call(minted, "GET", "/v1/whoami")).status).toBe(401);
  expect(troubles).toEqual([]);
  await context.close();
});

it("puts a scope under another, and takes that back", async () => {
  const { page, logIn, open, context } = await place.visit();
  const token = await place.tokenOf("tree");
  await set(token, ["repo:acme/web", "A"], ["namespace:prod", "B"]);
  await logIn(token);
  await open("/scopes");
  await page.getByLabel("Scope", { exact: true }).fill("repo:acme/web");
  await page.getByLabel("Under").fill("namespace:prod");
  await page.getByRole("button", { name: "Put it there" }).click();
  await page.getByRole("button", { name: "Take out repo:acme/web from under namespace:prod" }).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("Undone:").waitFor();
  const { scopes } = (await (await place.call(token, "GET", "/v1/scopes")).json()) as { scopes: { scope: string; parent: string | null }[] };
  expect(scopes.find(({ scope }) => scope === "repo:acme/web")?.parent).toBe(null);
  await page.getByRole("button", { name: "Empty namespace:prod" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete 1" }).click();
  await page.getByText("1 secrets of namespace:prod are deleted.").waitFor();
  await context.close();
});

it("trusts GitHub by a form, says why an identity token is not good, and forgets it", async () => {
  const { page, logIn, open, context } = await place.visit();
  const token = await place.tokenOf("trusting");
  await logIn(token);
  await open("/new/trust");
  await page.getByLabel("Owner").fill("acme");
  await page.getByLabel("Ref", { exact: true }).fill("refs/heads/main");
  await page.getByRole("button", { name: "Trust this issuer" }).click();
  await page.getByRole("heading", { name: "github", level: 1 }).waitFor();
  expect(await (await place.call(token, "GET", "/v1/trusts/github")).json()).toMatchObject({
    issuer: "https://token.actions.githubusercontent.com",
    claims: { repository_owner: "acme", ref: "refs/heads/main" },
    secret_scopes: ["repo:${repository}"],
  });
  await page.getByText("Change what it asks and gives").click();
  await page.getByLabel("Claims").fill("repository_owner=acme\nenvironment=production");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("environment=production", { exact: true }).waitFor();
  const stored = async () => (await (await place.call(token, "GET", "/v1/trusts/github")).json()) as object;
  expect(await stored()).toMatchObject({ claims: { repository_owner: "acme", environment: "production" }, secret_scopes: ["repo:${repository}"] });
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("Undone: The trust github is changed.").waitFor();
  expect(await stored()).toMatchObject({ claims: { repository_owner: "acme", ref: "refs/heads/main" } });
  await page.getByLabel("Identity token").fill("eyJhbGciOiJub25lIn0.e30.");
  await page.getByRole("button", { name: "Test it" }).click();
  await page.getByText("An exchange would be refused").waitFor();
  expect(await page.getByLabel("Identity token").inputValue()).toBe("");
  await context.close();
});

it.each([
  [
    "gitlab",
    { "Address of GitLab": "https://gitlab.example.com", Group: "acme" },
    { issuer: "https://gitlab.example.com", claims: { namespace_path: "acme" } },
  ],
  [
    "kubernetes",
    { "Issuer of the cluster": "https://k8s.example.com", Namespace: "prod", "Service account": "api" },
    {
      issuer: "https://k8s.example.com",
      claims: { "/kubernetes.io/namespace": "prod", "/kubernetes.io/serviceaccount/name": "api" },
      secret_scopes: ["namespace:${/kubernetes.io/namespace}"],
    },
  ],
])("trusts %s by a form", async (kind, fields, stored) => {
  const { page, logIn, open, context } = await place.visit();
  const token = await place.tokenOf(`trusting-${kind}`);
  await logIn(token);
  await open(`/new/trust?kind=${kind}`);
  for (const [label, text] of Object.entries(fields)) await page.getByLabel(label, { exact: true }).fill(text);
  await page.getByRole("button", { name: "Trust this issuer" }).click();
  await page.getByRole("heading", { name: kind, level: 1 }).waitFor();
  expect(await (await place.call(token, "GET", `/v1/trusts/${kind}`)).json()).toMatchObject(stored);
  await context.close();
});

it("sets up a login by a form, says which address the provider needs and which secret is not there, changes it and takes that back", async () => {
  const { page, logIn, open, context, troubles } = await place.visit();
  const token = await place.tokenOf("providing");
  await logIn(token);
  await open("/logins");
  await page.getByText("No provider is set up").waitFor();
  await page.getByRole("link", { name: "New login" }).click();
  for (const [label, text] of Object.entries({
    Name: "work",
    Provider: "https://accounts.example.com",
    "Client id": "console",
    "Secret that has it": "CLIENT_SECRET",
    "Ask the provider for": "email, groups",
    Claims: "hd=acme.example",
  }))
    await page.getByLabel(label, { exact: true }).fill(text);
  await page.getByRole("button", { name: "Make the login" }).click();
  await page.getByRole("alert").getByText("Not found in global: CLIENT_SECRET.").waitFor();
  await set(token, ["global", "CLIENT_SECRET", { hosts: ["accounts.example.com"] }]);
  await page.getByRole("button", { name: "Make the login" }).click();
  await page.getByRole("heading", { name: "work", level: 1 }).waitFor();
  await page.getByText(`${place.origin}/console/callback/providing/work`).waitFor();
  const stored = async () => (await (await place.call(token, "GET", "/v1/logins/work")).json()) as object;
  const made = {
    ...{ issuer: "https://accounts.example.com", client_id: "console", scopes: ["email", "groups"], claims: { hd: "acme.example" } },
    ...{ client_secret: { scope: "global", name: "CLIENT_SECRET" }, permissions: ["secrets:read"], expires_in: 43_200 },
  };
  expect(await stored()).toMatchObject(made);
  await page.getByText("Change it").click();
  await page.getByLabel("Secret that has it").fill("");
  await page.getByLabel("Only these scopes").fill("team:${team}");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("none: it proves itself by PKCE alone").waitFor();
  expect(await stored()).toMatchObject({ ...made, client_secret: null, secret_scopes: ["team:${team}"] });
  await page.getByText("The login work is changed.").locator("..").getByRole("button", { name: "Undo" }).click();
  await page.getByText("Undone: The login work is changed.").waitFor();
  expect(await stored()).toMatchObject({ ...made, secret_scopes: null });
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("The login work is deleted.").locator("..").getByRole("button", { name: "Undo" }).click();
  await page.getByRole("heading", { name: "work", level: 1 }).waitFor();
  expect(await stored()).toMatchObject(made);
  expect(troubles.filter((trouble) => !trouble.includes("404"))).toEqual([]);
  await context.close();
});

it("makes a webhook whose secret is taken along and is never in the page, tests it, and says what became of its messages", async () => {
  const { page, logIn, open, context } = await place.visit();
  const token = await place.tokenOf("telling");
  const taken: IncomingHttpHeaders[] = [];
  const receiver = createServer((request, response) => {
    taken.push(request.headers);
    response.writeHead(204).end();
  });
  await once(receiver.listen(0, "127.0.0.1"), "listening");
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/keyhole`;
  await logIn(token);
  await open("/webhooks");
  await page.getByText("Nobody is told of anything.").waitFor();
  await page.getByRole("link", { name: "New webhook" }).click();
  await page.getByLabel("Name", { exact: true }).fill("on-call");
  await page.getByLabel("Address").fill(url);
  await page.getByLabel("secret.expired").check();
  await page.getByLabel("calls.refused").check();
  await page.getByRole("button", { name: "Make the webhook" }).click();
  const takeAlong = async () => {
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save it as a file" }).click();
    const secret = await text(await (await download).createReadStream());
    expect(secret).toMatch(/^whsec_/);
    expect(await page.content()).not.toContain(secret);
    return secret;
  };
  const first = await takeAlong();
  await page.getByRole("link", { name: "To the webhook on-call" }).click();
  await page.getByText("many calls are refused, at least 60 in a minute").waitFor();
  await page.getByText("It has not been told anything yet.").waitFor();
  await page.getByRole("button", { name: "Send a test message" }).click();
  await page.getByText("It was taken.").waitFor();
  expect(taken.map((headers) => headers["webhook-signature"])).toEqual([expect.stringMatching(/^v1,/)]);
  await page.getByText("Change it").click();
  await page.getByLabel("secret.expired").uncheck();
  await page.getByLabel("Refused calls in a minute that are many").fill("5");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("at least 5 in a minute").waitFor();
  const stored = async () => (await (await place.call(token, "GET", "/v1/webhooks/on-call")).json()) as object;
  expect(await stored()).toMatchObject({ url, events: ["calls.refused"], refused_per_minute: 5 });
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("Undone: The webhook on-call is changed.").waitFor();
  expect(await stored()).toMatchObject({ url, events: ["secret.expired", "calls.refused"], refused_per_minute: 60 });
  await page.getByRole("button", { name: "Another secret" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Make it" }).click();
  expect(await takeAlong()).not.toBe(first);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("Nobody is told of anything.").waitFor();
  receiver.close();
  await context.close();
});

it("shows what is called new as it shows anything else", async () => {
  const { page, logIn, move, context } = await place.visit();
  const token = await place.tokenOf("newly");
  await set(token, ["global", "KEY", { hosts: ["api.openai.com", "vault.example.com"] }]);
  const credentials = { token: { secret_key_ref: { scope: "global", store: "KEY" } } };
  const rules = { issuer: "https://issuer.example.com", claims: { sub: "s" }, permissions: ["secrets:read"] };
  const made = {
    trusts: rules,
    services: { preset: "openai", secret: "KEY", scopes: ["global"] },
    stores: { kind: "vault", address: "https://vault.example.com", mount: "secret", credentials },
    webhooks: { url: "https://hooks.example.com/keyhole", events: ["secret.expired"] },
  };
  for (const [kind, body] of Object.entries(made)) expect((await place.call(token, "PUT", `/v1/${kind}/new`, body)).status, kind).toBe(201);
  await logIn(token);
  const shows = async (kind: string) => {
    await move(`/${kind}`);
    await page.locator(`main a[href="/console/${kind}/new"]`).click();
    await page.getByRole("heading", { name: "new", level: 1 }).waitFor();
  };
  for (const kind of Object.keys(made)) await shows(kind);
  // A login shares its name with trusts.
  await place.call(token, "DELETE", "/v1/trusts/new");
  expect((await place.call(token, "PUT", "/v1/logins/new", { ...rules, client_id: "console" })).status).toBe(201);
  await shows("logins");
  await context.close();
});

it("makes services of a preset and of any API", async () => {
  const { page, logIn, open, context } = await place.visit();
  const token = await place.tokenOf("serving");
  await set(token, ["global", "OPENAI_API_KEY", { hosts: ["api.openai.com"] }], ["global", "OWN_KEY", { hosts: ["api.example.com"] }]);
  await logIn(token);
  await open("/new/service");
  await page.getByLabel("Secret", { exact: true }).fill("OPENAI_API_KEY");
  await page.getByLabel("Scopes").fill("global");
  await page.getByLabel("Uses a minute").fill("90");
  await page.getByRole("button", { name: "Make the service" }).click();
  await page.getByRole("heading", { name: "openai", level: 1 }).waitFor();
  await open("/new/service");
  await page.getByLabel("Preset", { exact: true }).selectOption("Another API");
  await page.getByLabel("Name", { exact: true }).fill("own");
  await page.getByLabel("Address of the API").fill("https://api.example.com");
  await page.getByLabel("Secret", { exact: true }).fill("OWN_KEY");
  await page.getByLabel("Scopes").fill("global");
  await page.getByLabel("What is let through").fill("GET/POST /v1/things/**");
  await page.getByRole("button", { name: "Make the service" }).click();
  await page.getByRole("heading", { name: "own", level: 1 }).waitFor();
  const { services } = (await (await place.call(token, "GET", "/v1/services")).json()) as { services: object[] };
  expect(services).toMatchObject([
    { name: "openai", preset: "openai", uses_per_minute: 90 },
    {
      name: "own",
      inject: [{ in: "header", name: "Authorization", value: "Bearer ${OWN_KEY}" }],
      allow: [{ methods: ["GET", "POST"], paths: ["/v1/things/**"] }],
    },
  ]);
  await page.getByText("Change it").click();
  await page.getByLabel("What is let through").fill("GET /v1/things/**");
  await page.getByLabel("Uses a minute").fill("5");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("5 of each subject").waitFor();
  await page.getByText("In the last minute 0 callers began to use it").waitFor();
  const stored = async () => (await (await place.call(token, "GET", "/v1/services/own")).json()) as object;
  const inject = [{ in: "header", name: "Authorization", value: "Bearer ${OWN_KEY}" }];
  expect(await stored()).toMatchObject({ inject, allow: [{ methods: ["GET"], paths: ["/v1/things/**"] }], uses_per_minute: 5 });
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("The service own is deleted.").locator("..").getByRole("button", { name: "Undo" }).click();
  await page.getByRole("heading", { name: "own", level: 1 }).waitFor();
  expect(await stored()).toMatchObject({ inject, uses_per_minute: 5 });
  await context.close();
});

it("declares a store by a form, checks it and says what fails, changes it and takes that back", async () => {
  const { page, logIn, open, context } = await place.visit();
  const token = await place.tokenOf("storing");
  await set(token, ["global", "VAULT_TOKEN", { hosts: ["vault.example.com"] }]);
  await logIn(token);
  await open("/new/store");
  for (const [label, text] of Object.entries({
    Name: "vault",
    Address: "https://vault.example.com",
    Mount: "secret",
    "Scope of the secrets that have the credentials": "global",
    "Token: name of the secret": "VAULT_TOKEN",
    Allows: "global a/*\nnamespace:prod prod/*",
  }))
    await page.getByLabel(label, { exact: true }).fill(text);
  await page.getByRole("button", { name: "Declare the store" }).click();
  await page.getByRole("heading", { name: "vault", level: 2 }).waitFor();
  const stored = async () => (await (await place.call(token, "GET", "/v1/stores/vault")).json()) as object;
  const declared = {
    ...{ kind: "vault", address: "https://vault.example.com", mount: "secret", refresh_seconds: 60 },
    credentials: { token: { secret_key_ref: { scope: "global", store: "VAULT_TOKEN" } } },
    allow: [
      { scopes: ["global"], keys: ["a/*"] },
      { scopes: ["namespace:prod"], keys: ["prod/*"] },
    ],
  };
  expect(await stored()).toMatchObject(declared);
  await page.getByRole("link", { name: "Change the store vault" }).click();
  await page.getByLabel("Read anew after (seconds)").fill("600");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("after 600 seconds").waitFor();
  expect(await stored()).toMatchObject({ ...declared, refresh_seconds: 600 });
  await page.getByText("The store vault is changed.").locator("..").getByRole("button", { name: "Undo" }).click();
  await page.getByText("Undone: The store vault is changed.").waitFor();
  expect(await stored()).toMatchObject(declared);
  // What the store's credential is for has changed since: nothing goes out.
  await set(token, ["global", "VAULT_TOKEN", { hosts: [] }]);
  await page.getByRole("button", { name: "Check vault" }).click();
  await page.getByRole("alert").getByText("A secret is not for the host that it would go to").waitFor();
  await context.close();
});

it("says whether the deployment is ready, and what the organization has", async () => {
  const { page, logIn, open, context } = await place.visit();
  const token = await place.tokenOf("healthy");
  await set(token, ["global", "ONE"]);
  await logIn(token);
  await open("/health");
  await page.getByText("Ready", { exact: true }).waitFor();
  await page.getByText("All data keys are under the current key.").waitFor();
  const row = page.getByRole("table", { name: "Quotas" }).getByRole("row", { name: /^secrets/ });
  expect((await row.innerText()).replaceAll(/\s+/g, " ")).toContain("secrets 1 10,000");
  await context.close();
});

it("says what a token lacks, instead of hiding it, and asks for nothing that would be refused", async () => {
  const { page, logIn, move, context } = await place.visit();
  const token = await place.tokenOf("lacking");
  await set(token, ["global", "SEEN"]);
  await logIn(await place.tokenOf("lacking", ["secrets:read"]));
  for (const [path, permission] of [
    ["/secrets", "secrets:write"],
    ["/import", "secrets:write"],
    ["/tokens", "tokens:write"],
    ["/trusts", "trusts:write"],
    ["/logins", "trusts:write"],
    ["/webhooks", "webhooks:write"],
    ["/services", "services:write"],
    ["/stores", "stores:write"],
    ["/audit", "audit:read"],
    ["/health", "keys:read"],
  ] as const) {
    await move(path);
    const note = page.getByRole("note").filter({ hasText: permission });
    expect(await note.count(), path).toBe(1);
    expect(await note.innerText(), path).toContain("Your token lacks");
  }
  const { events } = (await (await place.call(token, "GET", "/v1/audit?outcome=denied")).json()) as { events: object[] };
  expect(events).toEqual([]);
  await move("/import");
  expect(await page.getByRole("button", { name: "Dry run" }).isDisabled()).toBe(true);
  await move("/session");
  expect(await page.getByRole("row", { name: /^secrets:write/ }).innerText()).toContain("your token lacks it");
  await context.close();
});

it("is used with the keyboard alone", async () => {
  const { page, logIn, context } = await place.visit();
  const token = await place.tokenOf("keyboard");
  await logIn(token);
  const focused = () => page.evaluate(() => (document.activeElement as HTMLElement | null)?.innerText || document.activeElement?.id || "");
  const tabTo = async (what: string) => {
    for (let n = 0; n < 60; n++) {
      if ((await focused()) === what) return;
      await page.keyboard.press("Tab");
    }
    throw new Error(`the keyboard does not come to ${what}`);
  };
  expect(await focused()).toBe("Secrets");
  await tabTo("New secret");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "New secret" }).waitFor();
  await tabTo("scope");
  await page.keyboard.type("global");
  await tabTo("name");
  await page.keyboard.type("BY_KEYS");
  await tabTo("value");
  await page.keyboard.type("typed by keys");
  await tabTo("Set secret");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "BY_KEYS", level: 1 }).waitFor();
  await tabTo("Delete");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  // A dialog holds the keyboard, and Escape leaves it and gives the focus back.
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  expect(await focused()).toBe("Delete");
  await page.keyboard.press("Enter");
  await tabTo("Cancel");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("There are no secrets that you may see.").waitFor();
  await tabTo("Undo");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "BY_KEYS", level: 1 }).waitFor();
  await context.close();
});
