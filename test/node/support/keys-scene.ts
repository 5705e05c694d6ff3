import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { vi } from "vitest";
import { signToken } from "../../../scripts/sign-token.ts";
import { runCommandLine } from "../../../src/cli/run-command-line.ts";
import { PERMISSIONS } from "../../../src/contract/permission.ts";
import { STILL } from "../../support/still.ts";
import { startNodeWorker } from "./node-worker.ts";

/** What a command did. */
interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A reply of the deployment. */
interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: each route replies something else.
  readonly body: any;
}

interface Database {
  prepare(sql: string): { bind(...values: string[]): unknown };
  batch(list: unknown[]): Promise<{ results: { key_id?: string }[] }[]>;
}

const context = { waitUntil: (work: Promise<unknown>) => void work.catch(() => {}), passThroughOnException: () => {}, props: {} };

/** A deployment, its operator's file of Worker secrets, and what the operator does with both. */
export interface Scene {
  readonly folder: string;
  readonly file: string;
  /** `keyhole admin keys …`, in this process. */
  keys(...args: string[]): Promise<Said>;
  /** Puts Worker secrets, as `wrangler secret bulk` does: those that are not named stay. */
  put(secrets: NodeJS.Dict<string>): void;
  /** Asks the deployment; as the operator's organization unless told. */
  ask(request: string, options?: { org?: string; body?: unknown }): Promise<Answer>;
  set(name: string): Promise<Answer>;
  /** Has a scheduled run happen. Returns its log line. */
  schedule(): Promise<Record<string, unknown>>;
  /** The id of the key that a secret's version is under. */
  keyOf(name: string): Promise<string | undefined>;
  end(): void;
}

/** The Worker secrets in a file. */
export function secretsIn(file: string): NodeJS.Dict<string> {
  return parseEnv(readFileSync(file, "utf8"));
}

/** A new deployment with one secret, `FIRST`. */
export async function startScene(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-keys-"));
  const file = join(folder, "keyhole.secrets");
  const worker = startNodeWorker();
  let env: Record<string, unknown> = { ...worker.env, ROOT_KEY: undefined, KEYRING: undefined, SIGNING_KEY: undefined, PLATFORM_ORG: "platform" };
  const scene: Scene = {
    folder,
    file,
    keys: (...args) => listen(() => runCommandLine(["admin", "keys", ...args])),
    put(secrets) {
      env = { ...env, ...secrets };
    },
    async ask(request, { org = "platform", body } = {}) {
      const [method = "GET", path = "/"] = request.split(" ");
      const headers = { Authorization: `Bearer ${await tokenOf(org)}`, "Content-Type": "application/json" };
      const init = body === undefined ? {} : { body: JSON.stringify(body) };
      const reply = await worker.app.fetch(new Request(`https://keyhole.test${path}`, { method, headers, ...init }) as never, env as never, context as never);
      return { status: reply.status, body: await reply.json().catch(() => undefined) };
    },
    set: (name) => scene.ask(`PUT /v1/scopes/global/secrets/${name}`, { body: { value: `value of ${name}` } }),
    async schedule() {
      const lines: string[] = [];
      const spy = vi.spyOn(console, "log").mockImplementation((line: string) => void lines.push(line));
      await worker.runScheduled(env as never, new Date(), STILL).finally(() => spy.mockRestore());
      return JSON.parse(lines.find((line) => line.includes('"event":"scheduled"')) ?? "{}");
    },
    async keyOf(name) {
      const [found] = await DB.batch([DB.prepare("SELECT v.key_id FROM versions v JOIN secrets s ON s.id = v.secret_id WHERE s.name = ?").bind(name)]);
      return found?.results[0]?.key_id;
    },
    end: () => rmSync(folder, { recursive: true, force: true }),
  };
  const { DB } = worker.env as { DB: Database };
  const tokenOf = async (org: string) =>
    signToken(String(env.SIGNING_KEY), { org, subject: "ada", permissions: PERMISSIONS.join(" "), ttl: 3600, issuer: "keyhole", audience: "keyhole" });
  vi.stubGlobal("fetch", async (input: Request | string | URL, init?: RequestInit) =>
    worker.app.fetch(new Request(input as string, init) as never, env as never, context as never),
  );
  await scene.keys("init", "--file", file);
  scene.put(secretsIn(file));
  await scene.set("FIRST");
  return scene;
}

/** A token for the command line. */
export async function tokenFor(file: string, org: string): Promise<string> {
  return signToken(secretsIn(file).SIGNING_KEY ?? "", { org, subject: "ada", permissions: "keys:read", ttl: 3600, issuer: "keyhole", audience: "keyhole" });
}

/** A copy of a file, as operators have them. */
export function copyOf(file: string, name: string): string {
  const copy = `${file}.${name}`;
  writeFileSync(copy, readFileSync(file), { mode: 0o600 });
  return copy;
}

async function listen(act: () => Promise<number>): Promise<Said> {
  const [out, err]: [string[], string[]] = [[], []];
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation((text) => out.push(String(text)) > 0),
    vi.spyOn(process.stderr, "write").mockImplementation((text) => err.push(String(text)) > 0),
  ];
  try {
    return { code: await act(), out: out.join(""), err: err.join("") };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}
