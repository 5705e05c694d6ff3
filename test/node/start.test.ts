import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { applyMigrations } from "../../scripts/local/apply-migrations.ts";
import { openDevVars } from "../../scripts/local/dev-vars.ts";
import { type Served, serveWorker } from "../../scripts/local/serve-worker.ts";
import { withDatabase } from "../../scripts/local/storage.ts";
import { readVars } from "../../scripts/settings.ts";
import { signToken } from "../../scripts/sign-token.ts";
import { PERMISSIONS } from "../../src/contract/permission.ts";
import { TEST_SECRETS } from "../support/test-secrets.ts";
import { freePort } from "./support/free-port.ts";

const ROOT = join(import.meta.dirname, "../..");
const folders: string[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-start-"));
  folders.push(folder);
  return folder;
}

async function until<T>(find: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (let n = 0; n < 1_000; n++) {
    const found = await find();
    if (found !== undefined) return found;
    await sleep(20);
  }
  throw new Error("it did not come to that");
}

const token = await signToken(TEST_SECRETS.SIGNING_KEY, {
  org: "acme",
  subject: "ada",
  permissions: PERMISSIONS.join(" "),
  ttl: 3600,
  issuer: "keyhole",
  audience: "keyhole",
});
const headers = { Authorization: `Bearer ${token}`, "Content-Type": "text/plain" };

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

describe("the local server", () => {
  const lines: string[] = [];
  let served: Served;

  beforeAll(async () => {
    const bindings = { ...readVars(), ...TEST_SECRETS };
    served = await serveWorker({ port: 0, persistTo: newFolder(), bindings, period: 100, onLine: (line) => void lines.push(line) });
    await fetch(new URL("/v1/scopes/global/secrets/KEY", served.url), { method: "PUT", headers, body: "value" });
  });
  afterAll(() => served?.stop());

  async function answerOf(path: string, method: string): Promise<Record<string, unknown>> {
    const reply = await fetch(new URL(path, served.url), { method });
    return { ...((await reply.json()) as object), status: reply.status, request_id: reply.headers.has("x-request-id") };
  }

  it.each([
    "/cdn-cgi/explorer",
    "/cdn-cgi/local/explorer",
    "/cdn-cgi/local/explorer/api/d1/database",
    "/cdn-cgi/handler/scheduled",
    "/cdn-cgi/local/scheduled",
    "/cdn-cgi/mf/scheduled",
    "/cdn-cgi/local/platform-proxy",
    "/__scheduled",
  ])("knows %s as little as any other address", async (path) => {
    for (const method of ["GET", "POST"]) {
      const [asked, unknown] = await Promise.all([answerOf(path, method), answerOf("/nowhere", method)]);
      expect(asked).toEqual(unknown);
      expect(asked).toMatchObject({ status: 404, code: "route-not-found" });
    }
  });

  it("records the address that a request came from, whatever the request says", async () => {
    const reply = await fetch(new URL("/v1/resolve/KEY?scope=global", served.url), { headers: { ...headers, "CF-Connecting-IP": "203.0.113.9" } });
    expect(await reply.json()).toMatchObject({ value: "value" });
    const { events } = (await (await fetch(new URL("/v1/audit", served.url), { headers })).json()) as { events: { action: string; ip: string }[] };
    expect(events.find(({ action }) => action === "secret.resolve")?.ip).toBe("127.0.0.1");
  });

  it("has the scheduled run happen by itself", async () => {
    const verified = await until(async () => {
      const found = (await (await fetch(new URL("/v1/audit/verify", served.url), { headers })).json()) as { ok: boolean; checked: number };
      return found.checked > 0 ? found : undefined;
    });
    expect(verified.ok).toBe(true);
  });

  it("passes on what the Worker logs, one JSON document a line", async () => {
    const logged = () => lines.map((line) => JSON.parse(line) as { event: string; route?: string });
    await until(() => logged().find(({ event }) => event === "scheduled"));
    expect(logged()).toContainEqual(expect.objectContaining({ event: "request", route: "/v1/scopes/:scope/secrets/:name" }));
  });

  it("says so when the port is taken by another one", async () => {
    const again = serveWorker({ port: Number(served.url.port), persistTo: newFolder(), bindings: {} });
    await expect(again).rejects.toMatchObject({ name: "Refusal", message: `port ${served.url.port} is taken` });
  });
});

describe("local data", () => {
  it("that wrangler has migrated is opened as it is, and migrated on", { timeout: 180_000 }, async () => {
    const [folder, config] = [newFolder(), newFolder()];
    // Of the database as an earlier release had it: each migration takes wrangler a second.
    const migrations = readdirSync(join(ROOT, "migrations")).sort();
    mkdirSync(join(config, "migrations"));
    for (const file of migrations.slice(0, 3)) copyFileSync(join(ROOT, "migrations", file), join(config, "migrations", file));
    copyFileSync(join(ROOT, "wrangler.toml"), join(config, "wrangler.toml"));
    const wrangler = join(dirname(createRequire(import.meta.url).resolve("wrangler/package.json")), "bin/wrangler.js");
    const { status, stderr } = spawnSync(
      process.execPath,
      [wrangler, "d1", "migrations", "apply", "DB", "--local", "--persist-to", folder, "--config", join(config, "wrangler.toml")],
      {
        cwd: ROOT,
        env: { ...process.env, CI: "true", WRANGLER_SEND_METRICS: "false" },
        encoding: "utf8",
      },
    );
    expect(status, stderr).toBe(0);
    const migrated = () => withDatabase(folder, async (db) => (await db.prepare("SELECT * FROM d1_migrations ORDER BY id").all<{ name: string }>()).results);
    const before = await migrated();
    expect(before).toHaveLength(3);
    const served = await serveWorker({ port: 0, persistTo: folder, bindings: { ...readVars(), ...TEST_SECRETS } });
    expect((await fetch(new URL("/v1/secrets", served.url), { headers })).status).toBe(200);
    await served.stop();
    const after = await migrated();
    expect([after.slice(0, 3), after.map(({ name }) => name)]).toEqual([before, migrations]);
  });

  it("keeps nothing of a migration that fails, and tries it again", async () => {
    const [folder, migrations] = [newFolder(), newFolder()];
    writeFileSync(join(migrations, "0001_a.sql"), "CREATE TABLE a (x); CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END;\n-- the end\n");
    writeFileSync(join(migrations, "0002_b.sql"), "CREATE TABLE b (x);\nINSERT INTO nowhere VALUES (1);");
    await withDatabase(folder, async (db) => {
      const names = async () => (await db.prepare("SELECT name FROM sqlite_master WHERE name IN ('a', 'b', 't')").all<{ name: string }>()).results;
      await expect(applyMigrations(db, migrations)).rejects.toThrow("nowhere");
      expect(await names()).toEqual([{ name: "a" }, { name: "t" }]);
      writeFileSync(join(migrations, "0002_b.sql"), "CREATE TABLE b (x);\nINSERT INTO b VALUES (1);");
      await applyMigrations(db, migrations);
      await applyMigrations(db, migrations);
      expect((await db.prepare("SELECT x FROM b").all()).results).toEqual([{ x: 1 }]);
    });
  });
});

describe(".dev.vars", () => {
  it("is made once, and nobody else can read it", async () => {
    const folder = newFolder();
    const file = join(folder, ".dev.vars");
    const opened = await Promise.all([openDevVars(file, folder), openDevVars(file, folder)]);
    expect(opened.map(({ made }) => made).sort()).toEqual([false, true]);
    expect(opened[0].kept).toEqual(opened[1].kept);
    expect(Object.keys(opened[0].kept)).toEqual(["ROOT_KEY", "KEYRING", "SIGNING_KEY", "LOG_KEY", "OIDC_KEY"]);
    if (process.platform !== "win32") expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("is not made anew beside data that other keys have sealed", async () => {
    const folder = newFolder();
    const file = join(folder, ".dev.vars");
    const { kept } = await openDevVars(file, folder);
    const served = await serveWorker({ port: 0, persistTo: folder, bindings: { ...readVars(), ...kept } });
    const { ISSUER = "", AUDIENCE = "" } = readVars();
    const grant = { org: "acme", subject: "ada", permissions: "secrets:write", ttl: 60, issuer: ISSUER, audience: AUDIENCE };
    const Authorization = `Bearer ${await signToken(kept.SIGNING_KEY ?? "", grant)}`;
    rmSync(file);
    const unused = newFolder();
    await withDatabase(unused, (db) => applyMigrations(db, join(ROOT, "migrations")));
    expect((await openDevVars(join(unused, ".dev.vars"), unused)).made).toBe(true);
    const put = await fetch(new URL("/v1/scopes/global/secrets/KEY", served.url), { method: "PUT", headers: { ...headers, Authorization }, body: "value" });
    expect(put.status).toBe(201);
    await served.stop();
    await expect(openDevVars(file, folder)).rejects.toMatchObject({
      message: `${file} is gone, and without the keys in it the data in ${folder} cannot be opened`,
      hint: "put the file back, or delete that folder and lose what is in it",
    });
    expect(existsSync(file)).toBe(false);
  });
});

describe("npm start", () => {
  let child: ChildProcess | undefined;
  afterEach(() => void child?.kill("SIGKILL"));

  it("takes a var from the environment, refuses a port that is taken, and ends well when it is told to", async () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: { start: string } };
    const [, ...command] = scripts.start.split(" ");
    const port = await freePort();
    const args = [...command, "--port", String(port), "--persist-to", newFolder()];
    const started = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, ISSUER: "elsewhere" }, stdio: ["ignore", "pipe", "inherit"] });
    child = started;
    let said = "";
    started.stdout.on("data", (text) => (said += text));
    const [printed] = await until(() => /^eyJ[\w-]+\.[\w-]+\.[\w-]+$/m.exec(said) ?? undefined);
    expect(decodeJwt(printed).iss).toBe("elsewhere");
    const listed = await fetch(`http://127.0.0.1:${port}/v1/secrets`, { headers: { Authorization: `Bearer ${printed}` } });
    expect(listed.status).toBe(200);
    const second = spawnSync(process.execPath, args, { cwd: ROOT, encoding: "utf8" });
    expect(second).toMatchObject({ status: 1, stderr: `port ${port} is taken\nhint: npm start -- --port N, with another port\n` });
    const ended = new Promise((resolve) => started.once("exit", (code, signal) => resolve({ code, signal })));
    started.kill("SIGTERM");
    expect(await ended).toEqual({ code: 0, signal: null });
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow("fetch failed");
  });
});
