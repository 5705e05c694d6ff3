import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { openPlace, type Place } from "./support/place.ts";

let place: Place;
const folder = mkdtempSync(join(tmpdir(), "keyhole-files-"));
beforeAll(async () => {
  place = await openPlace();
});
afterAll(async () => {
  await place?.close();
  rmSync(folder, { recursive: true });
});

/** The value that somebody who may resolve gets. */
async function resolved(token: string, scope: string, name: string): Promise<unknown> {
  const reply = await place.call(token, "GET", `/v1/resolve/${name}?scope=${encodeURIComponent(scope)}`);
  return ((await reply.json()) as { value?: string }).value;
}

it("sets a secret, gives it another value, and goes back by the undo and by its versions", async () => {
  const { page, logIn, troubles, context } = await place.visit();
  const token = await place.tokenOf("life");
  await logIn(token);
  await page.getByRole("link", { name: "New secret" }).click();
  await page.getByLabel("Scope").fill("namespace:prod");
  await page.getByLabel("Name", { exact: true }).fill("API_KEY");
  await page.getByLabel("New value").fill("the-first-value");
  await page.getByText("Metadata").click();
  await page.getByLabel("Description").fill("for the tests");
  await page.getByLabel("Labels").fill("team=payments");
  await page.getByRole("button", { name: "Set secret" }).click();
  await page.getByRole("heading", { name: "API_KEY", level: 1 }).waitFor();
  await page.getByText("for the tests").waitFor();
  expect(await resolved(token, "namespace:prod", "API_KEY")).toBe("the-first-value");

  await page.getByRole("link", { name: "New value" }).click();
  await page.getByLabel("New value").fill("the-second-value");
  await page.getByRole("button", { name: "Set new value" }).click();
  await page.getByRole("rowheader", { name: "Version 2" }).waitFor();
  expect(await resolved(token, "namespace:prod", "API_KEY")).toBe("the-second-value");
  await page.getByText("API_KEY has version 2 now.").locator("..").getByRole("button", { name: "Undo" }).click();
  await page.getByText("Undone: API_KEY has version 2 now.").waitFor();
  expect(await resolved(token, "namespace:prod", "API_KEY")).toBe("the-first-value");

  await page.reload();
  await page.getByRole("button", { name: "Roll back to version 2" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Roll back" }).click();
  await page.getByRole("rowheader", { name: "Version 4" }).waitFor();
  expect(await resolved(token, "namespace:prod", "API_KEY")).toBe("the-second-value");
  await page.getByRole("button", { name: "Destroy version 1" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Destroy for good" }).click();
  await page.getByText("destroyed", { exact: true }).waitFor();
  expect(troubles).toEqual([]);
  await context.close();
});

it("deletes a secret, brings it back by the undo, and later from the list of what was deleted", async () => {
  const { page, logIn, open, context } = await place.visit();
  const token = await place.tokenOf("deleting");
  await place.call(token, "PUT", "/v1/scopes/global/secrets/GOING", { value: "v" });
  await logIn(token);
  const remove = async () => {
    await page.getByRole("link", { name: "GOING" }).click();
    await page.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("There are no secrets that you may see.").waitFor();
  };
  await remove();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByRole("heading", { name: "GOING", level: 1 }).waitFor();
  expect(await resolved(token, "global", "GOING")).toBe("v");
  await open("/secrets");
  await remove();
  await page.getByLabel("Show").selectOption("Deleted");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("button", { name: "Undelete GOING in global" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Undelete" }).click();
  await page.getByText("GOING is back with all its versions.").waitFor();
  expect(await resolved(token, "global", "GOING")).toBe("v");
  await context.close();
});

it("has a value that was typed in no storage, address, history or page afterwards, and sends it once", async () => {
  const value = "typed-once-and-gone-7f3a";
  const { page, logIn, open, context } = await place.visit();
  await logIn(await place.tokenOf("typing"));
  const sent: string[] = [];
  page.on("request", (request) => {
    if (`${request.url()} ${request.postData() ?? ""}`.includes(value)) sent.push(`${request.method()} ${new URL(request.url()).pathname}`);
  });
  const everything = () =>
    page.evaluate(async () => {
      const fields = [...document.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>("input, textarea")].map(({ value, defaultValue }) => [
        value,
        defaultValue,
      ]);
      const stores = [
        { ...localStorage },
        { ...sessionStorage },
        document.cookie,
        await indexedDB.databases(),
        await caches.keys(),
        history.state,
        location.href,
      ];
      return JSON.stringify([fields, stores, document.documentElement.outerHTML, performance.getEntries().map(({ name }) => name)]);
    });
  await open("/new/secret");
  await page.getByLabel("Scope").fill("global");
  await page.getByLabel("Name", { exact: true }).fill("TYPED");
  await page.getByLabel("New value").fill(value);
  // It is nowhere but in its own field, and there it is hidden.
  expect((await page.content()).includes(value)).toBe(false);
  expect(await page.getByLabel("New value").evaluate((field) => getComputedStyle(field).getPropertyValue("-webkit-text-security"))).toBe("disc");
  await page.getByRole("button", { name: "Set secret" }).click();
  await page.getByRole("heading", { name: "TYPED", level: 1 }).waitFor();
  expect(await everything()).not.toContain(value);
  await page.goBack();
  await page.getByLabel("New value").waitFor();
  expect(await everything()).not.toContain(value);
  await page.reload();
  await page.getByLabel("New value").waitFor();
  expect(await everything()).not.toContain(value);
  expect(sent).toEqual(["POST /console/api/v1/secrets"]);
  await context.close();
});

it("forgets a value that was typed and not sent when the page is left", async () => {
  const value = "typed-and-left-91c2";
  const { page, logIn, open, context } = await place.visit();
  await logIn(await place.tokenOf("typing"));
  await open("/new/secret");
  await page.getByLabel("New value").fill(value);
  await page.getByRole("link", { name: "Scopes" }).click();
  await page.getByRole("heading", { name: "Scopes", level: 1 }).waitFor();
  await page.goBack();
  expect(await page.getByLabel("New value").inputValue()).toBe("");
  await context.close();
});

it("generates a value that nobody sees, and takes the bytes of a file as they are", async () => {
  const { page, logIn, open, context } = await place.visit();
  const token = await place.tokenOf("making");
  await logIn(token);
  await open("/new/secret");
  await page.getByLabel("Scope").fill("global");
  await page.getByLabel("Name", { exact: true }).fill("MADE");
  await page.getByLabel("Generate").check();
  await page.getByLabel("Length").fill("40");
  await page.getByLabel("Characters").selectOption("Hexadecimal");
  await page.getByRole("button", { name: "Set secret" }).click();
  await page.getByRole("heading", { name: "MADE", level: 1 }).waitFor();
  const made = await resolved(token, "global", "MADE");
  expect(made).toMatch(/^[0-9a-f]{40}$/);
  expect(await page.content()).not.toContain(made);

  const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x0a]);
  writeFileSync(join(folder, "key.bin"), bytes);
  await page.getByRole("link", { name: "New value" }).click();
  await page.getByLabel("From a file").check();
  await page.getByLabel("File", { exact: true }).setInputFiles(join(folder, "key.bin"));
  await page.getByRole("button", { name: "Set new value" }).click();
  await page.getByText("2 (bytes)").waitFor();
  expect(await resolved(token, "global", "MADE")).toBe(bytes.toString("base64"));
  await context.close();
});

it("creates no secret over one that is there", async () => {
  const { page, logIn, open, context } = await place.visit();
  const token = await place.tokenOf("twice");
  await place.call(token, "PUT", "/v1/scopes/global/secrets/THERE", { value: "old" });
  await logIn(token);
  await open("/new/secret?scope=global&name=THERE");
  await page.getByLabel("New value").fill("other");
  await page.getByRole("button", { name: "Set secret" }).click();
  await page.getByRole("alert").getByText("The secret exists already").waitFor();
  expect(await resolved(token, "global", "THERE")).toBe("old");
  await context.close();
});

it("changes metadata, only what was changed, and takes it back", async () => {
  const { page, logIn, context } = await place.visit();
  const token = await place.tokenOf("metadata");
  await place.call(token, "PUT", "/v1/scopes/global/secrets/META", { value: "v", labels: { a: "1" }, description: "before" });
  await logIn(token);
  await page.getByRole("link", { name: "META" }).click();
  await page.getByText("Change the metadata").click();
  await page.getByLabel("Description").fill("after");
  await page.getByLabel("Rotate after (days)").fill("30");
  const patch = page.waitForRequest((request) => request.method() === "PATCH");
  await page.getByRole("button", { name: "Save" }).click();
  expect((await patch).postDataJSON()).toEqual({ description: "after", rotate_after_days: 30 });
  await page.getByText("every 30 days").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("no date").waitFor();
  await context.close();
});

it("shows what an import would change, before it changes anything", async () => {
  const { page, logIn, open, context } = await place.visit();
  const token = await place.tokenOf("importing");
  for (const [name, value] of [
    ["SAME", "same"],
    ["OTHER", "old"],
  ])
    await place.call(token, "PUT", `/v1/scopes/global/secrets/${name}`, { value });
  await logIn(token);
  await open("/import");
  await page.getByLabel("Scope").fill("global");
  await page.getByLabel("Or its lines").fill("SAME=same\nOTHER=imported-value-5d1e\nFRESH=imported-value-5d1e");
  await page.getByRole("button", { name: "Dry run" }).click();
  const shown = page.getByRole("region", { name: "What would change" });
  await shown.waitFor();
  const rows = await shown.getByRole("row").allInnerTexts();
  expect(rows.map((row) => row.replaceAll(/\s+/g, " ").trim()).slice(1)).toEqual(["+ FRESH new", "~ OTHER other value", "= SAME the same"]);
  expect(await resolved(token, "global", "OTHER")).toBe("old");
  await page.getByRole("button", { name: "Import 2 into global" }).click();
  await page.getByRole("region", { name: "What has changed" }).waitFor();
  expect(await resolved(token, "global", "FRESH")).toBe("imported-value-5d1e");
  expect(await page.getByLabel("Or its lines").inputValue()).toBe("");
  expect(await page.content()).not.toContain("imported-value-5d1e");
  await context.close();
});

it("finds secrets by name, scope, kind, label and what is due, page by page", async () => {
  const { page, logIn, open, context } = await place.visit();
  const token = await place.tokenOf("many");
  const secrets = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`MANY_${String(n).padStart(2, "0")}`, "v"]));
  await place.call(token, "POST", "/v1/import", { scope: "namespace:prod", secrets });
  await place.call(token, "PUT", "/v1/scopes/team:a/secrets/LABELLED", { value: "v", labels: { team: "a" } });
  await logIn(token);
  await page.getByRole("rowheader").nth(49).waitFor();
  expect(await page.getByRole("rowheader").count()).toBe(50);
  await page.getByRole("link", { name: "Next page" }).click();
  await page.getByRole("link", { name: "First page" }).waitFor();
  await page.getByRole("rowheader", { name: "MANY_59" }).waitFor();
  await open("/secrets");
  await page.getByLabel("Name begins with").fill("MANY_1");
  await page.getByRole("button", { name: "Filter" }).click();
  await page.getByRole("rowheader", { name: "MANY_19" }).waitFor();
  await page.getByRole("rowheader", { name: "LABELLED" }).waitFor({ state: "detached" });
  expect(await page.getByRole("rowheader").count()).toBe(10);
  expect(page.url()).toContain("prefix=MANY_1");
  for (const query of ["label=team%3Aa", "kind=team", "scope=team%3Aa"]) {
    await open(`/secrets?${query}`);
    expect(await page.getByRole("rowheader").allInnerTexts(), query).toEqual(["LABELLED"]);
  }
  await open("/secrets?show=rotation");
  await page.getByText("No secret fits these filters.").waitFor();
  await context.close();
});
