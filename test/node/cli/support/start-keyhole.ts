import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startLocally } from "../../../../scripts/local-deployment.ts";
import { readVars } from "../../../../scripts/settings.ts";
import { signToken } from "../../../../scripts/sign-token.ts";
import { PERMISSIONS } from "../../../../src/contract/permission.ts";
import { TEST_SECRETS } from "../../../support/test-secrets.ts";

const ROOT = join(import.meta.dirname, "../../../..");

/** The command line as it is installed: built, in a folder of its own, as `keyhole`. */
export function buildKeyhole(): { folder: string; path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-cli-"));
  const { status, stderr } = spawnSync(process.execPath, [join(ROOT, "scripts/build.mjs"), "--no-types", "--outdir", join(folder, "dist")], {
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(stderr);
  symlinkSync(join(folder, "dist/keyhole.cjs"), join(folder, "keyhole"));
  return { folder, path: join(folder, "keyhole"), remove: () => rmSync(folder, { recursive: true }) };
}

/** A real server with an empty database. */
export async function startServer(): Promise<{ url: string; close(): Promise<void> }> {
  const persistTo = mkdtempSync(join(tmpdir(), "keyhole-data-"));
  const { url, stop } = await startLocally({ port: 0, bindings: { ...readVars(), ...TEST_SECRETS }, persistTo, print: () => {} });
  return { url, close: () => stop().then(() => rmSync(persistTo, { recursive: true, force: true })) };
}

/** A token for the server, with every permission unless told. */
export function tokenFor(org: string, permissions = PERMISSIONS.join(" ")): Promise<string> {
  return signToken(TEST_SECRETS.SIGNING_KEY, { org, subject: "ada", permissions, ttl: 3600, issuer: "keyhole", audience: "keyhole" });
}
