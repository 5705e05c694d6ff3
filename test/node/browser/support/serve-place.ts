import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import { chromium as playwright } from "playwright-core";
import type { TestProject } from "vitest/node";
import { serveWorker } from "../../../../scripts/local/serve-worker.ts";
import { readVars } from "../../../../scripts/settings.ts";
import { ROOT } from "../../../../scripts/wrangler-config.ts";
import { TEST_SECRETS } from "../../../support/test-secrets.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the Keyhole of a run of browser tests is, and where its browser is reached. */
    place: { readonly origin: string; readonly browser: string };
  }
}

// The browser's own sandbox needs what a container does not give. Its rules for pages are all in force.
const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"];

/** Serves the console as it is built, on loopback, and starts a browser: once for all files, which take organizations and profiles of their own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (!existsSync(join(ROOT, "dist/console/index.html"))) throw new Error("the console is not built: npm run test:browser builds it");
  const folder = mkdtempSync(join(tmpdir(), "keyhole-browser-"));
  const served = await serveWorker({
    port: 0,
    persistTo: join(folder, "state"),
    // The provider of the tests is on loopback, and so is who is told by a webhook.
    bindings: { ...readVars(), ...TEST_SECRETS, ALLOW_INSECURE_ISSUERS: "true", ALLOW_INSECURE_ORIGINS: "true" },
    period: null,
    onLine: () => undefined,
  });
  const browser = await playwright.launchServer({ executablePath: await chromium.executablePath(), args: ARGUMENTS, host: "127.0.0.1" });
  project.provide("place", { origin: served.url.origin, browser: browser.wsEndpoint() });
  return async () => {
    await browser.close();
    await served.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
}
