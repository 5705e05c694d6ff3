import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, it } from "vitest";
import { signToken } from "../../scripts/sign-token.ts";
import { PERMISSIONS } from "../../src/contract/permission.ts";
import { TEST_SECRETS } from "../support/test-secrets.ts";
import { gone, killGroup } from "./support/kill-group.ts";
import { prepareServer } from "./support/prepare-server.ts";

const ROOT = join(import.meta.dirname, "../..");
const START = Date.now();
const children = new Set<ChildProcess>();
const folders: string[] = [];

afterAll(async () => {
  for (const child of children) killGroup(child);
  await Promise.all([...children].map(gone));
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "keyhole-leases-"));
  folders.push(folder);
  return folder;
}

/** A server in a process group of its own, with a clock that is moved by hand. */
interface Running {
  readonly url: string;
  /** Moves its clock to so many seconds after the test's beginning. */
  to(second: number): Promise<void>;
  /** What `worker-by-hand.ts` is told or asked: `hold`, `release`, `held`. */
  byHand(word: string): Promise<string>;
  /** Has the scheduled run happen, and returns how it ended. */
  runScheduled(): Promise<unknown>;
  kill(): Promise<void>;
}

async function start(folder: string, second: number): Promise<Running> {
  const { bundle } = await prepareServer(folder, "test/support/worker-by-hand.ts");
  const child = fork(join(ROOT, "test/node/support/serve-by-hand.ts"), [folder, bundle], {
    cwd: ROOT,
    detached: true,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    execArgv: ["--disable-warning=ExperimentalWarning", "--import", "./scripts/typescript.mjs"],
  });
  children.add(child);
  const [url] = (await once(child, "message")) as [string];
  const byHand = async (word: string) => (await fetch(`${url}/test/${word}`, { method: "POST" })).text();
  const to = async (moved: number) => void (await byHand(`clock?to=${START + moved * 1000}`));
  await to(second);
  return {
    url,
    to,
    byHand,
    async runScheduled() {
      const done = once(child, "message");
      child.send("run");
      return (await done)[0];
    },
    async kill() {
      killGroup(child);
      await gone(child);
      children.delete(child);
    },
  };
}

const token = (subject: string) =>
  signToken(TEST_SECRETS.SIGNING_KEY, { org: "acme", subject, permissions: PERMISSIONS.join(" "), ttl: 3600, issuer: "keyhole", audience: "keyhole" });
const ada = await token("ada");

function put({ url }: Running, name: string): Promise<Response> {
  const headers = { Authorization: `Bearer ${ada}`, "Content-Type": "text/plain" };
  return fetch(`${url}/v1/scopes/global/secrets/${name}`, { method: "PUT", headers, body: `value of ${name}` });
}

interface Answer {
  readonly value: string;
  readonly lease?: { readonly id: string };
}

const pathOf = (name: string) => `/v1/resolve/${name}?scope=global`;
const headersFor = (maxAge: number, bearer = ada) => ({ Authorization: `Bearer ${bearer}`, "Cache-Control": `max-age=${maxAge}` });

/** Resolves a secret, under a lease of `maxAge` seconds unless that is 0, and returns the lease's id. */
async function resolve({ url }: Running, name: string, maxAge = 60, bearer = ada): Promise<string | undefined> {
  const reply = await fetch(url + pathOf(name), { headers: headersFor(maxAge, bearer) });
  const { value, lease } = (await reply.json()) as Answer;
  expect([reply.status, value]).toEqual([200, `value of ${name}`]);
  return lease?.id;
}

interface Noted {
  readonly action: string;
  readonly lease: { readonly id: string; readonly uses?: number; readonly final?: boolean; readonly max_uses?: number };
}

/** All events about leases, in their order. */
async function noted({ url }: Running): Promise<Noted[]> {
  const reply = await fetch(`${url}/v1/audit?format=ndjson`, { headers: { Authorization: `Bearer ${ada}` } });
  const lines = (await reply.text()).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Noted).filter(({ lease }) => lease !== undefined);
}

const unsettledOf = (events: readonly Noted[]) => events.filter(({ action }) => action === "lease.unsettled").map(({ lease }) => lease);

/** Looks until something is so. What it waits for does not depend on how long that takes. */
async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (let n = 0; n < 2_000; n++) {
    const seen = await look();
    if (seen !== undefined) return seen;
    await sleep(5);
  }
  throw new Error("it did not come to that");
}

it("of leases whose process is killed, between two counts too, the log says that their last count is missing, and of no others", {
  timeout: 180_000,
}, async () => {
  const folder = newFolder();
  const first = await start(folder, 0);
  for (const name of ["COUNTED", "ENDED", "UNUSED", "STRICT"]) expect((await put(first, name)).status).toBe(201);
  const counted = await resolve(first, "COUNTED");
  const ended = await resolve(first, "ENDED", 10);
  for (const name of ["COUNTED", "COUNTED"]) expect(await resolve(first, name)).toBe(counted);
  expect(await resolve(first, "ENDED", 10)).toBe(ended);
  await first.to(12);
  expect(await resolve(first, "COUNTED")).toBe(counted);
  const unused = await resolve(first, "UNUSED");
  expect(await resolve(first, "STRICT", 0)).toBeUndefined();
  // The first count is written 20 seconds after the first use, and with it the last one of what has ended.
  await first.to(20);
  const uses = await until(async () => {
    const found = (await noted(first)).filter(({ action }) => action === "secret.resolve.uses").map(({ lease }) => lease);
    return found.length === 2 ? found : undefined;
  });
  expect(uses).toEqual(
    expect.arrayContaining([
      { id: counted, uses: 3, final: false },
      { id: ended, uses: 1, final: true },
    ]),
  );
  // Two more that the next count would have.
  for (const name of ["COUNTED", "COUNTED"]) expect(await resolve(first, name)).toBe(counted);
  await first.kill();

  const second = await start(folder, 30);
  const goesOn = await resolve(second, "COUNTED");
  expect(goesOn).not.toBe(counted);
  expect(await resolve(second, "COUNTED")).toBe(goesOn);
  await second.to(51);
  await until(async () => ((await noted(second)).some(({ lease }) => lease.id === goesOn && lease.final) ? true : undefined));
  await second.to(179);
  expect(await second.runScheduled()).toBe("ok");
  expect(unsettledOf(await noted(second))).toEqual([]);
  await second.to(193);
  for (let run = 0; run < 2; run++) {
    expect(await second.runScheduled()).toBe("ok");
    expect(unsettledOf(await noted(second))).toEqual([
      { id: counted, uses: 3, max_uses: 10_000 },
      { id: unused, uses: 0, max_uses: 10_000 },
    ]);
  }
  const readiness = (await (await fetch(`${second.url}/readyz`, { headers: { Authorization: `Bearer ${ada}` } })).json()) as Record<string, object>;
  expect(readiness.backlog).toMatchObject({ leases_unsettled: 2 });
  await second.kill();
});

it("of a process that is killed under load each lease that a client has seen is in the log, and each without a last count is unsettled", {
  timeout: 180_000,
}, async () => {
  const folder = newFolder();
  const names = ["A", "B", "C", "D"];
  const bearers = [ada, ...(await Promise.all([token("grace"), token("joan")]))];
  const running = await start(folder, 0);
  for (const name of names) expect((await put(running, name)).status).toBe(201);
  const seen = new Map<string, number>();
  const client = async (number: number) => {
    for (let n = number; ; n++) {
      const reply = await fetch(running.url + pathOf(names[n % 4] ?? ""), { headers: headersFor(60, bearers[n % 3]) }).catch(() => undefined);
      const answer = await reply?.json().then(
        (body) => body as Answer,
        () => undefined,
      );
      if (answer === undefined) return;
      const { id } = answer.lease ?? { id: "none" };
      seen.set(id, (seen.get(id) ?? 0) + 1);
    }
  };
  const clients = Array.from({ length: 6 }, (_, number) => client(number));
  // Clients that go on long enough to use what they have, with some keys that were not asked for yet.
  await until(async () => ([...seen.values()].reduce((sum, times) => sum + times, 0) >= 40 ? true : undefined));
  await running.to(20);
  await until(async () => ((await noted(running)).some(({ action }) => action === "secret.resolve.uses") ? true : undefined));
  await running.kill();
  await Promise.all(clients);

  const after = await start(folder, 300);
  expect(await after.runScheduled()).toBe("ok");
  const events = await noted(after);
  const opened = events.filter(({ action }) => action === "secret.resolve").map(({ lease }) => lease.id);
  const settled = new Set(events.filter(({ lease }) => lease.final).map(({ lease }) => lease.id));
  const unsettled = unsettledOf(events);
  expect(unsettled.map(({ id }) => id).sort()).toEqual(opened.filter((id) => !settled.has(id)).sort());
  expect(unsettled.length).toBeGreaterThan(0);
  for (const [id, times] of seen) {
    expect(opened).toContain(id);
    const last = events.filter(({ lease }) => lease.id === id).at(-1);
    expect(times - 1).toBeLessThanOrEqual((last?.lease.final ? last.lease.uses : 10_000) ?? 0);
  }
  await after.kill();
});

/** Resolves a secret, and can go away before there is an answer. All of these ask the same. */
function ask({ url }: Running, name: string): { readonly lease: Promise<string | undefined>; leave(): void } {
  const asking = request(url + pathOf(name), { headers: headersFor(60) });
  const lease = new Promise<string | undefined>((settle, fail) => {
    asking.on("error", fail);
    asking.on("response", (reply) => json(reply).then((body) => settle((body as Answer).lease?.id), fail));
  });
  asking.end();
  return { lease, leave: () => void asking.socket?.destroy() };
}

it("when the client goes away whose request others wait for, they get the answer that it found", { timeout: 120_000 }, async () => {
  const running = await start(newFolder(), 0);
  for (const name of ["KEY", "LATE"]) expect((await put(running, name)).status).toBe(201);
  const opened = async () => (await noted(running)).filter(({ action }) => action === "secret.resolve").map(({ lease }) => lease.id);
  /** One that leads, and goes away while three others wait for it. */
  const leftAlone = async (name: string) => {
    await running.byHand("hold");
    const leader = ask(running, name);
    await until(async () => ((await running.byHand("held")) === "waiting" ? true : undefined));
    const others = [1, 2, 3].map(() => ask(running, name).lease);
    await running.byHand("held");
    leader.leave();
    await expect(leader.lease).rejects.toThrow("socket hang up");
    await running.byHand("held");
    return others;
  };

  const followers = await leftAlone("KEY");
  await running.byHand("release");
  const [id, ...others] = await Promise.all(followers);
  expect(others).toEqual([id, id]);
  expect(await ask(running, "KEY").lease).toBe(id);
  expect(await opened()).toEqual([id]);

  // One that does not come to an end holds them up for a quarter of a second, by the clock that is moved here.
  const waiting = await leftAlone("LATE");
  await running.to(0.25);
  const leases = await Promise.all(waiting);
  const later = await ask(running, "LATE").lease;
  expect(leases).toContain(later);
  expect((await opened()).sort()).toEqual([...new Set([id, ...leases])].sort());
  await running.byHand("release");
  await running.kill();
});
