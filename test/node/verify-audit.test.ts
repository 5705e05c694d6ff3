import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CompactSign, exportJWK, generateKeyPair, type JWK } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AuditEvent, Checkpoint } from "../../src/contract/audit.ts";
import { eventDigest, sha256 } from "../../src/contract/audit-digest.ts";

const ROOT = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "keyhole-verify-"));
const { privateKey, publicKey } = await generateKeyPair("EdDSA", { crv: "Ed25519" });
const jwks = { keys: [{ ...(await exportJWK(publicKey)), kid: "k", alg: "EdDSA", use: "sig" } satisfies JWK] };
const events: AuditEvent[] = Array.from({ length: 5 }, (_, n) => ({
  seq: n + 1,
  at: `2026-01-01T00:00:0${n}.000Z`,
  org: "acme",
  actor: "ci",
  token_id: null,
  action: "secret.resolve",
  outcome: "allowed",
  secrets: [{ id: "sec_1", name: "A", scope: "global", version: 1 }],
  target: null,
  request_id: `req_${n}`,
  ip: null,
  user_agent: null,
}));
let checkpoints: Checkpoint[] = [];
let head = "";

const signed = (typ: string, payload: object) =>
  new CompactSign(new TextEncoder().encode(JSON.stringify(payload))).setProtectedHeader({ alg: "EdDSA", typ, kid: "k" }).sign(privateKey);

type Change = (row_digests: readonly string[], number: number) => { row_digests?: string[]; more?: boolean };

/** Seals the events, but for the last, in two stretches; `change` is what a later version would do otherwise. */
async function seal(change: Change): Promise<{ checkpoints: Checkpoint[]; head: string }> {
  const checkpoints: Checkpoint[] = [];
  for (const [first_seq, last_seq] of [
    [1, 2],
    [3, 4],
  ] as const) {
    const own = await Promise.all(events.slice(first_seq - 1, last_seq).map(eventDigest));
    const stretch = { number: checkpoints.length + 1, first_seq, last_seq, last_at: events[last_seq - 1]?.at ?? "" };
    const { row_digests = own, ...more } = change(own, stretch.number);
    const previous = checkpoints.at(-1);
    const payload = { org: "acme", ...stretch, rows: await sha256(row_digests.join("")), previous: previous ? await sha256(previous.jws) : null, ...more };
    checkpoints.push({ ...stretch, row_digests, jws: await signed("keyhole-checkpoint", payload) });
  }
  const head = await signed("keyhole-head", { org: "acme", number: 2, checkpoint: await sha256(checkpoints[1]?.jws ?? ""), removed_to: 0 });
  return { checkpoints, head };
}

async function sealedBy(change: Change): Promise<{ checkpoints: string }> {
  const sealed = await seal(change);
  return { checkpoints: JSON.stringify({ ...sealed, next_cursor: null }) };
}

beforeAll(async () => {
  ({ checkpoints, head } = await seal(() => ({})));
});
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const lines = (list: readonly unknown[]) => list.map((one) => `${JSON.stringify(one)}\n`).join("");
const page = (list: readonly Checkpoint[]) => JSON.stringify({ checkpoints: list, head, next_cursor: null });

/** Runs the command on exported files, some of which are not as they were. */
function verify(changed: { log?: string; checkpoints?: string; jwks?: string } = {}, more: readonly string[] = []) {
  const log = write("log.ndjson", changed.log ?? lines(events));
  const pages = write("checkpoints.json", changed.checkpoints ?? page(checkpoints));
  const keys = write("jwks.json", changed.jwks ?? JSON.stringify(jwks));
  return command(["--log", log, "--checkpoints", pages, "--jwks", keys, ...more]);
}

function command(args: readonly string[]) {
  return spawnSync(process.execPath, [join(ROOT, "scripts/verify-audit.ts"), ...args], { encoding: "utf8" });
}

describe("verify-audit", () => {
  it("prints what it found and exits with 0 when the log is as it was sealed", () => {
    const { status, stdout, stderr } = verify();
    expect([status, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toEqual({ ok: true, checked: 4, unsealed: 1, first_bad: null });
  });

  it("takes several pages, one after the other, and lines in any order", () => {
    const pages = checkpoints.map((one) => page([one]));
    for (const between of ["", "\n", "\n\n"]) {
      const { status, stdout } = verify({ checkpoints: pages.join(between), log: lines(events.toReversed()) });
      expect([status, JSON.parse(stdout).checked]).toEqual([0, 4]);
    }
  });

  const changed = (n: number, change: object) => lines(events.map((event, at) => (at === n ? { ...event, ...change } : event)));

  it.each<[string, () => Parameters<typeof verify>[0], number]>([
    ["an event was changed", () => ({ log: changed(1, { actor: "x" }) }), 2],
    ["an event is of another organization", () => ({ log: changed(2, { org: "other" }) }), 3],
    ["an event has one field more", () => ({ log: changed(2, { note: "x" }) }), 3],
    ["an event is no event any more", () => ({ log: changed(3, { action: "nothing" }) }), 4],
    ["an event was removed", () => ({ log: lines(events.toSpliced(2, 1)) }), 3],
    ["an event is there twice", () => ({ log: lines([...events, events[1]]) }), 2],
    ["the log was cut short", () => ({ log: lines(events.slice(0, 3)) }), 4],
    ["the log and the checkpoints were cut short", () => ({ log: lines(events.slice(0, 2)), checkpoints: page(checkpoints.slice(0, 1)) }), 3],
    ["a checkpoint was removed", () => ({ checkpoints: page(checkpoints.slice(1)) }), 1],
    ["the keys are others", () => ({ jwks: JSON.stringify({ keys: jwks.keys.map((key) => ({ ...key, kid: "other" })) }) }), 1],
    ["there is no key", () => ({ jwks: '{"keys":[]}' }), 1],
  ])("exits with 1 and the first bad event when %s", (_, change, first_bad) => {
    const { status, stdout, stderr } = verify(change());
    expect(stderr).toBe("");
    expect([status, JSON.parse(stdout)]).toEqual([1, expect.objectContaining({ ok: false, first_bad })]);
  });

  it("says with 2 that it is too old for a log, when nothing it can check is bad: not that it was changed, nor that it is whole", async () => {
    const more = { note: "what only a later version knows" };
    const later = [...events, { ...events[4], ...more, seq: 6, version: 7 }];
    const { status, stdout, stderr } = verify({ log: lines(later) });
    expect([status, JSON.parse(stdout)]).toEqual([2, { ok: false, checked: 4, unsealed: 2, first_bad: null, newer: { seq: 6, version: 7 }, reason: "newer" }]);
    expect(stderr).toBe("this log has events of version 7, which this verifier does not know\nhint: update it, and verify again\n");
    const sealed = await sealedBy((row_digests, at) => (at === 2 ? { row_digests: [`v7.${row_digests[0]}`, row_digests[1] ?? ""] } : {}));
    const said = verify({ ...sealed, log: lines([...events.slice(0, 2), { ...events[2], ...more, version: 7 }, ...events.slice(3)]) });
    expect([said.status, JSON.parse(said.stdout)]).toEqual([
      2,
      { ok: false, checked: 3, unsealed: 1, first_bad: null, newer: { seq: 3, version: 7 }, reason: "newer" },
    ]);
    const changed = verify({ ...sealed, log: lines([{ ...events[0], actor: "x" }, events[1], { ...events[2], version: 7 }, ...events.slice(3)]) });
    expect([changed.status, JSON.parse(changed.stdout)]).toEqual([1, { ok: false, checked: 2, unsealed: 1, first_bad: 1, reason: "changed" }]);
  });

  it("says so of checkpoints that say more than it knows", async () => {
    const { status, stdout, stderr } = verify(await sealedBy((_, at) => (at === 2 ? { more: true } : {})));
    expect([status, JSON.parse(stdout)]).toEqual([
      2,
      { ok: false, checked: 4, unsealed: 1, first_bad: null, newer: { seq: 3, version: null }, reason: "newer" },
    ]);
    expect(stderr).toBe("this log has checkpoints of a later Keyhole, which this verifier does not know\nhint: update it, and verify again\n");
  });

  it.each<[string, object]>([
    ["a later one", { version: 7 }],
    ["a later one, with a member more", { version: 7, note: "x" }],
    ["none that there could be", { version: "2" }],
    ["none at all", { version: 0 }],
  ])("finds a sealed event tampered with that says to be of another version: %s", (_, change) => {
    const { status, stdout } = verify({ log: changed(2, { ...change, actor: "x" }) });
    expect([status, JSON.parse(stdout)]).toEqual([1, { ok: false, checked: 3, unsealed: 1, first_bad: 3, reason: "changed" }]);
  });

  it("finds a log that is another organization's", () => {
    const { status, stdout } = verify({}, ["--org", "other"]);
    expect([status, JSON.parse(stdout).first_bad]).toEqual([1, 1]);
  });

  it.each<[string, () => ReturnType<typeof command>, string]>([
    ["no file is named", () => command([]), "--log, --checkpoints and --jwks are needed"],
    ["a file is missing", () => command(["--log", "nowhere", "--checkpoints", "nowhere", "--jwks", "nowhere"]), "nowhere cannot be read"],
    ["an option is unknown", () => command(["--lgo", "x"]), "Unknown option '--lgo'"],
    ["the log is no log", () => verify({ log: "hello\n" }), `${join(folder, "log.ndjson")}, line 1 is not an audit event`],
    ["a line is cut off", () => verify({ log: lines(events).slice(0, -9) }), `${join(folder, "log.ndjson")}, line 5 is not an audit event`],
    ["the checkpoints are none", () => verify({ checkpoints: "{}" }), `${join(folder, "checkpoints.json")} is not a list of checkpoints`],
    ["the keys are no JWK Set", () => verify({ jwks: "[]" }), `${join(folder, "jwks.json")} is not a JWK Set`],
  ])("says in two lines what is wrong when %s", (_, run, message) => {
    const { status, stdout, stderr } = run();
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr.startsWith(message)).toBe(true);
    expect(stderr).toMatch(/^[^\n]+\nhint: [^\n]+\n$/);
  });

  it("explains itself", () => {
    const { status, stdout } = command(["--help"]);
    expect(status).toBe(0);
    for (const word of ["--log", "--checkpoints", "--jwks", "first_bad"]) expect(stdout).toContain(word);
  });
});
