import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inject } from "vitest";
import { serveWorker } from "../../../../scripts/local/serve-worker.ts";
import { readVars } from "../../../../scripts/settings.ts";
import { signToken } from "../../../../scripts/sign-token.ts";
import { PERMISSIONS } from "../../../../src/contract/permission.ts";
import { TEST_SECRETS } from "../../../support/test-secrets.ts";
import { keepFirst } from "../../support/keep-first.ts";
import { prepareServer } from "../../support/prepare-server.ts";

const ROOT = join(import.meta.dirname, "../../../..");

/** The command line as it is installed: built, in a folder of its own, as `keyhole`. */
export function buildKeyhole(): { folder: string; path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-cli-"));
  cpSync(buildOnce(), join(folder, "dist"), { recursive: true });
  symlinkSync(join(folder, "dist/keyhole.cjs"), join(folder, "keyhole"));
  return { folder, path: join(folder, "keyhole"), remove: () => rmSync(folder, { recursive: true }) };
}

/** The build that the whole run has, made by whoever needs it first. */
function buildOnce(): string {
  const path = join(inject("prepared"), "dist");
  if (existsSync(path)) return path;
  const draft = `${path}-${process.pid}`;
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/build.mjs"), "--outdir", draft], { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  keepFirst(draft, path);
  return path;
}

/** A real server with an empty database, without scheduled runs: what commands print must not hang on when a minute ends. */
export async function startServer(): Promise<{ url: string; close(): Promise<void> }> {
  const persistTo = mkdtempSync(join(tmpdir(), "keyhole-server-"));
  const bindings = { ...readVars(), ...TEST_SECRETS };
  const { url, stop } = await serveWorker({ port: 0, persistTo, bindings, period: null, onLine: () => undefined, prepared: await prepareServer(persistTo) });
  const close = async () => {
    await stop();
    rmSync(persistTo, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
  };
  return { url: url.origin, close };
}

/** A token for the server, with every permission unless told. */
export function tokenFor(org: string, permissions = PERMISSIONS.join(" ")): Promise<string> {
  return signToken(TEST_SECRETS.SIGNING_KEY, { org, subject: "ada", permissions, ttl: 3600, issuer: "keyhole", audience: "keyhole" });
}
