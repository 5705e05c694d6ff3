import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { freePort } from "./support/free-port.ts";
import { gone, killGroup, processes } from "./support/kill-group.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Two instances are killed some times each, beside each other: a start takes some seconds. */
const INSTANCES = 2;
const KILLS = process.env.EVERY_CASE ? 10 : 3;
const WRITERS = 4;
const started = new Set<ChildProcess>();
const folders: string[] = [];

afterAll(async () => {
  for (const child of started) killGroup(child);
  await Promise.all([...started].map(gone));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

interface Running {
  readonly child: ChildProcess;
  readonly url: string;
  /** The token that it printed. */
  readonly token: string;
}

/** Starts an instance, in a process group of its own, and waits until it answers. */
async function start(folder: string): Promise<Running> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn("npm", ["start", "--", "--port", String(port), "--persist-to", folder], {
    cwd: ROOT,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  started.add(child);
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (text) => (said += text));
  for (let n = 0; n < 600; n++) {
    // Something else on the machine took the port after it was found free.
    if (child.exitCode !== null && said.includes(`port ${port} is taken`)) return start(folder);
    if (child.exitCode !== null) throw new Error(`npm start ended: ${said}`);
    const ready = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
      (reply) => reply.ok,
      () => false,
    );
    const [token] = /eyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(said) ?? [];
    if (ready && token) return { child, url, token };
    await sleep(50);
  }
  throw new Error(`no answer within half a minute: ${said}`);
}

/** What one writer asked for of its one secret, in order: a number, or `null` for a delete. */
interface History {
  readonly name: string;
  readonly asked: (number | null)[];
  /** The position in `asked` of the last one that was acknowledged. */
  acknowledged: number;
}

/** Writes and deletes one secret, one call after the other, until the instance is gone. */
async function write({ url, token }: Running, history: History, until: { stopped: boolean }): Promise<void> {
  const path = `${url}/v1/scopes/global/secrets/${history.name}`;
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "text/plain" };
  while (!until.stopped) {
    const position = history.asked.length;
    const value = position % 7 === 6 ? null : position;
    history.asked.push(value);
    try {
      const { status } =
        value === null ? await fetch(path, { method: "DELETE", headers }) : await fetch(path, { method: "PUT", headers, body: `value-${value}` });
      if (status < 300 || (value === null && status === 404)) history.acknowledged = position;
    } catch {
      return;
    }
  }
}

/** What is there now is what was acknowledged last, or something that the same writer asked for later. */
async function compare({ url, token }: Running, histories: readonly History[]): Promise<void> {
  const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
  const names = histories.map(({ name }) => name);
  const reply = await fetch(`${url}/v1/resolve`, { method: "POST", headers, body: JSON.stringify({ names, allow_missing: true }) });
  expect(reply.status).toBe(200);
  const { secrets } = (await reply.json()) as { secrets: Record<string, { value: string }> };
  for (const { name, asked, acknowledged } of histories) {
    const found = secrets[name]?.value ?? null;
    const allowed = asked.slice(Math.max(acknowledged, 0)).map((value) => (value === null ? null : `value-${value}`));
    if (acknowledged === -1) allowed.push(null);
    expect(allowed, `${name}: ${found}`).toContain(found);
  }
  const verified = (await (await fetch(`${url}/v1/audit/verify`, { headers })).json()) as { ok: boolean };
  expect(verified.ok).toBe(true);
}

/** One instance, killed under writes again and again. Returns how many writes were acknowledged. */
async function killAgainAndAgain(): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-kill-"));
  folders.push(folder);
  const histories: History[] = Array.from({ length: WRITERS }, (_, n) => ({ name: `WRITER_${n}`, asked: [], acknowledged: -1 }));
  let acknowledgedEver = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const running = await start(folder);
    await compare(running, histories);
    const before = histories.map(({ acknowledged }) => acknowledged);
    const until = { stopped: false };
    const writers = histories.map((history) => write(running, history, until));
    // Killed in the middle of writes: after a number of acknowledged ones that differs each time.
    while (histories.reduce((sum, { acknowledged }, n) => sum + acknowledged - (before[n] ?? 0), 0) < 8 + kill * 15) await sleep(1);
    killGroup(running.child);
    until.stopped = true;
    await Promise.all(writers);
    await gone(running.child);
    started.delete(running.child);
    acknowledgedEver += histories.reduce((sum, { acknowledged }, n) => sum + acknowledged - (before[n] ?? 0), 0);
  }
  const last = await start(folder);
  await compare(last, histories);
  killGroup(last.child);
  await gone(last.child);
  started.delete(last.child);
  expect(processes().filter(({ commandLine }) => commandLine.includes(folder))).toEqual([]);
  return acknowledgedEver;
}

it("npm start, killed again and again under writes, loses no acknowledged write and brings no deleted secret back", { timeout: 600_000 }, async () => {
  const acknowledged = await Promise.all(Array.from({ length: INSTANCES }, killAgainAndAgain));
  for (const count of acknowledged) expect(count).toBeGreaterThan(KILLS * 8);
});
