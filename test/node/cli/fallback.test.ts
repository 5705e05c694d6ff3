import { spawn } from "node:child_process";
import { once } from "node:events";
import fs, { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import os, { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { answerWithin } from "../../../src/cli/answer-within.ts";
import { openFallback } from "../../../src/cli/fallback.ts";
import { machineIdentity } from "../../../src/cli/machine-identity.ts";
import { deriveKey, openEntry, sealEntry } from "../../../src/cli/seal-entry.ts";
import { tellGaps } from "../../../src/cli/tell-gaps.ts";
import { holderOf } from "../../../src/cli/token-holder.ts";
import { KeyholeError } from "../../../src/client/keyhole-error.ts";
import { startFakeService } from "./support/fake-service.ts";
import { runProgram } from "./support/run-program.ts";
import { buildKeyhole } from "./support/start-keyhole.ts";

const VARIABLES = { API_KEY: "sk-kept" };
const NOW = Date.parse("2026-11-21T12:00:00Z");
const HOUR = 3_600_000;
const SUBJECT = { url: "https://keyhole.test", token: "token", request: { scopes: ["namespace:prod"], names: undefined } };
const ANSWER = { variables: VARIABLES, gaps: { emptyScopes: [], leftOut: [], more: 0 } };
const TELL = async () => {};
const DAY = { maxAge: 86_400, tell: TELL };

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyhole-fallback-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const here = (subject = SUBJECT) => openFallback(subject, { folder, identity: "this machine" });
const down = () => Promise.reject(new KeyholeError("unreachable", "keyhole.test cannot be reached."));
const refused = (code: "unauthenticated", status: number) => () => Promise.reject(new KeyholeError(code, "No.", { status }));
const entry = () => join(folder, readdirSync(folder).find((name) => name.endsWith(".fallback")) ?? "");

async function keep(): Promise<void> {
  await (await here()).keepOrUse(async () => ANSWER, { ...DAY, now: NOW });
}

describe("an answer that is kept", () => {
  it("is used when the service cannot be reached", async () => {
    await keep();
    expect(await (await here()).keepOrUse(down, { ...DAY, now: NOW + HOUR })).toEqual(VARIABLES);
  });

  it.each([503, 522])("is used when something on the way, or the service, answers %d", async (status) => {
    await keep();
    expect(await (await here()).keepOrUse(refused("unauthenticated", status), { ...DAY, now: NOW })).toEqual(VARIABLES);
  });

  it.each([401, 403, 404, 410, 429, 500])("is never used when the service answers %d", async (status) => {
    await keep();
    await expect((await here()).keepOrUse(refused("unauthenticated", status), { ...DAY, now: NOW })).rejects.toMatchObject({ status });
  });

  it("is in a file that only its owner reads, in the format v1:<iv>:<tag>:<ciphertext>, with another IV each time", async () => {
    await keep();
    const first = readFileSync(entry(), "utf8");
    await keep();
    const second = readFileSync(entry(), "utf8");
    expect(first).toMatch(/^v1:[\w-]{16}:[\w-]{22}:[\w-]+\n$/);
    expect(second.split(":")[1]).not.toBe(first.split(":")[1]);
    expect(readdirSync(folder).map((name) => (statSync(join(folder, name)).mode & 0o777).toString(8))).toEqual(["600", "600"]);
  });

  it("does not open on another machine", async () => {
    await keep();
    const there = await openFallback(SUBJECT, { folder, identity: "another machine" });
    await expect(there.keepOrUse(down, { ...DAY, now: NOW })).rejects.toThrow("does not open on this machine");
  });

  it("is not used for another deployment, holder, scope or choice of names", async () => {
    await keep();
    const others = [
      { ...SUBJECT, url: "https://other.test" },
      { ...SUBJECT, token: "other" },
      { ...SUBJECT, request: { scopes: ["namespace:dev"], names: undefined } },
      { ...SUBJECT, request: { scopes: ["namespace:prod"], names: ["API_KEY"] as never } },
    ];
    for (const other of others) await expect((await here(other)).keepOrUse(down, { ...DAY, now: NOW })).rejects.toThrow("No earlier answer is kept");
  });

  it("is used up to the age limit and no longer, also when the clock was set back", async () => {
    await keep();
    const fallback = await here();
    expect(await fallback.keepOrUse(down, { maxAge: 3600, tell: TELL, now: NOW + HOUR })).toEqual(VARIABLES);
    await expect(fallback.keepOrUse(down, { maxAge: 3600, tell: TELL, now: NOW + HOUR + 1 })).rejects.toThrow("too old (1 hour ago)");
    await expect(fallback.keepOrUse(down, { maxAge: 3600, tell: TELL, now: NOW - HOUR })).rejects.toThrow("too old");
  });

  it("does not open when any part of it was changed", async () => {
    await keep();
    const text = readFileSync(entry(), "utf8").trim();
    for (let at = 3; at < text.length; at += 23) {
      writeFileSync(entry(), text.slice(0, at) + (text[at] === "A" ? "B" : "A") + text.slice(at + 1));
      await expect((await here()).keepOrUse(down, { ...DAY, now: NOW })).rejects.toThrow("does not open");
    }
  });
});

describe("an answer that does not come in time", () => {
  it("is one of a service that cannot be reached, and is no longer asked for", async () => {
    vi.useFakeTimers();
    const signals: AbortSignal[] = [];
    const asked = answerWithin(10_000, SUBJECT.url, async (signal) => {
      signals.push(signal);
      return new Promise<never>(() => {});
    }).catch((error: KeyholeError) => [error.code, error.message]);
    await vi.advanceTimersByTimeAsync(9999);
    expect(signals[0]?.aborted).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    vi.useRealTimers();
    expect([await asked, signals[0]?.aborted]).toEqual([["unreachable", "keyhole.test cannot be reached: no answer within 10 seconds."], true]);
  });
});

describe("an answer that an older version has kept", () => {
  it("is used, and what it is without is not known", async () => {
    await keep();
    const [name = ""] = readdirSync(folder).filter((name) => name.endsWith(".fallback"));
    const about = JSON.stringify(["keyhole/fallback/v1", SUBJECT.url, await holderOf(SUBJECT.url, SUBJECT.token), SUBJECT.request.scopes, null]);
    const key = await deriveKey("this machine", Buffer.from(readFileSync(join(folder, "salt"), "utf8"), "base64url"));
    writeFileSync(join(folder, name), `${sealEntry(key, about, JSON.stringify({ at: NOW, variables: VARIABLES }))}\n`);
    const use = async (strict: boolean) => (await here()).keepOrUse(down, { maxAge: 3600, now: NOW, tell: (gaps) => tellGaps(gaps, strict) });
    expect(await use(false)).toEqual(VARIABLES);
    await expect(use(true)).rejects.toMatchObject({ message: expect.stringContaining("it is not known"), exitCode: 6 });
  });
});

describe("the salt", () => {
  it("is the first one's when several processes need one at once", async () => {
    const { linkSync } = fs;
    const other = Buffer.alloc(16, 7).toString("base64url");
    fs.linkSync = (draft, path) => {
      writeFileSync(path, other);
      linkSync(draft, path);
    };
    syncBuiltinESMExports();
    await keep().finally(() => {
      fs.linkSync = linkSync;
      syncBuiltinESMExports();
    });
    expect(readFileSync(join(folder, "salt"), "utf8")).toBe(other);
    expect(await (await here()).keepOrUse(down, { ...DAY, now: NOW })).toEqual(VARIABLES);
    expect(readdirSync(folder)).toHaveLength(2);
  });

  it.each(["", "c2hvcnQ"])("is refused when it is not whole ('%s'), and nothing is kept under it", async (salt) => {
    writeFileSync(join(folder, "salt"), salt);
    await keep();
    expect(readdirSync(folder)).toEqual(["salt"]);
  });
});

describe("an answer that cannot be kept", () => {
  it("is used all the same", async () => {
    writeFileSync(join(folder, "file"), "");
    const fallback = await openFallback(SUBJECT, { folder: join(folder, "file"), identity: "this machine" });
    expect(await fallback.keepOrUse(async () => ANSWER, { ...DAY, now: NOW })).toEqual(VARIABLES);
    await expect(fallback.keepOrUse(down, { ...DAY, now: NOW })).rejects.toThrow("No earlier answer is kept");
  });
});

describe("this machine's identity", () => {
  it("is known also where the user has no name", () => {
    const { userInfo } = os;
    os.userInfo = () => {
      throw new Error("no such user");
    };
    syncBuiltinESMExports();
    const identity = machineIdentity();
    os.userInfo = userInfo;
    syncBuiltinESMExports();
    expect(JSON.parse(identity).slice(2, 4)).toEqual([null, process.getuid?.() ?? -1]);
  });
});

describe("an entry", () => {
  it("opens under its own key and what it is about, and no other", async () => {
    const [key, other] = await Promise.all([deriveKey("machine", Buffer.alloc(16)), deriveKey("other machine", Buffer.alloc(16))]);
    const sealed = sealEntry(key, "about", "text");
    expect([openEntry(key, "about", sealed), openEntry(other, "about", sealed), openEntry(key, "else", sealed), openEntry(key, "about", "v1:::")]).toEqual([
      "text",
      undefined,
      undefined,
      undefined,
    ]);
  });
});

describe("keyhole run --fallback", () => {
  it("runs the command also where nobody reads what it warns of", async () => {
    const cli = buildKeyhole();
    const service = await startFakeService(() => ({ json: VARIABLES }));
    const env = { PATH: process.env.PATH, HOME: folder, KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token" };
    const args = ["run", "--fallback", "--", "sh", "-c", "cat; echo $API_KEY; exit 7"];
    await once(spawn(cli.path, args, { env, stdio: "ignore" }), "close");
    await service.stop();
    const child = spawn(cli.path, args, { env });
    child.stderr.destroy();
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
    child.stdin.end();
    const [code] = await once(child, "close");
    expect({ code, output }).toEqual({ code: 7, output: "sk-kept\n" });
    cli.remove();
  });

  it.each(["", "relative"])("keeps nothing, and runs the command, when the home is '%s'", async (home) => {
    const cli = buildKeyhole();
    const service = await startFakeService(() => ({ json: VARIABLES }));
    const env = { HOME: home, KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token" };
    const ran = await runProgram(cli.path, ["run", "--fallback", "--", "sh", "-c", "echo $API_KEY"], { env, cwd: folder });
    const stderr = "warning: this answer cannot be kept for --fallback: there is no home folder\n";
    expect({ ...ran, kept: readdirSync(folder) }).toEqual({ code: 0, stdout: "sk-kept\n", stderr, kept: [] });
    await service.stop();
    cli.remove();
  });

  it("gives a job what was kept for its own identity, under another token too, and nothing that was kept for another job", async () => {
    const cli = buildKeyhole();
    const exchanged = { access_token: "exchanged", token_type: "Bearer", expires_in: 900, scope: "secrets:resolve" };
    const service = await startFakeService(({ url }) => ({
      json: url === "/oauth/token" ? { ...exchanged, issued_token_type: "urn:ietf:params:oauth:token-type:access_token" } : VARIABLES,
    }));
    const identity = (claims: object) =>
      `e30.${Buffer.from(JSON.stringify({ iss: "https://issuer.test", aud: "keyhole", ...claims })).toString("base64url")}.AA`;
    const run = (claims: object) =>
      runProgram(cli.path, ["run", "--fallback", "--", "sh", "-c", "echo $API_KEY"], {
        env: { HOME: folder, KEYHOLE_URL: service.url, KEYHOLE_TRUST: "acme/github", KEYHOLE_IDENTITY: identity(claims) },
      });
    const job = { sub: "environment:prod", repository: "acme/api" };
    expect(await run({ ...job, jti: "first", exp: 1 })).toMatchObject({ code: 0, stdout: "sk-kept\n" });
    await service.stop();
    expect(await run({ ...job, jti: "second", exp: 2 })).toMatchObject({ code: 0, stdout: "sk-kept\n" });
    const others = [{ sub: "environment:dev" }, { repository: "acme/web" }, { iss: "https://other.test" }, { aud: "other" }];
    const refused = await Promise.all(others.map((other) => run({ ...job, ...other })));
    expect(refused.map(({ code, stdout }) => ({ code, stdout }))).toEqual(others.map(() => ({ code: 5, stdout: "" })));
    cli.remove();
  });

  it("uses what is kept, and keeps it, when the service answers without values that it cannot have now; not for one that has expired", async () => {
    const cli = buildKeyhole();
    const service = await startFakeService(() => ({ json: VARIABLES }));
    const env = { HOME: folder, KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token" };
    const run = () => runProgram(cli.path, ["run", "--fallback", "--", "sh", "-c", "echo .$API_KEY"], { env });
    const without = (reason: string) => () => ({ json: {}, headers: { "Keyhole-Left-Out": `"API_KEY";reason=${reason}` } });
    service.answer = without("not-here-yet");
    expect(await run()).toMatchObject({ code: 5, stdout: "" });
    service.answer = () => ({ json: VARIABLES });
    expect(await run()).toMatchObject({ code: 0, stdout: ".sk-kept\n" });
    service.answer = without("storage-unavailable");
    for (let n = 0; n < 2; n++)
      expect(await run()).toMatchObject({ code: 0, stdout: ".sk-kept\n", stderr: expect.stringContaining("Some values cannot be had now.") });
    service.answer = without("expired");
    expect(await run()).toEqual({ code: 0, stdout: ".\n", stderr: "warning: left out: API_KEY (expired)\n" });
    await service.stop();
    cli.remove();
  });

  it("refuses with --strict an answer that is kept and was not whole, with the exit code of what it is without", async () => {
    const cli = buildKeyhole();
    const service = await startFakeService(() => ({ json: VARIABLES }));
    const env = { HOME: folder, KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token" };
    const run = (...more: string[]) => runProgram(cli.path, ["run", "--fallback", ...more, "--", "sh", "-c", "echo $API_KEY"], { env });
    const withHeaders = (headers: Record<string, string>) => () => ({ json: VARIABLES, headers });
    const down = () => ({ status: 503, code: "storage-unavailable" });
    const asked: (string | undefined)[] = [];
    for (const [headers, exit, message] of [
      [{ "Keyhole-Left-Out": '"OLD";reason=expired' }, 6, "left out: OLD (expired)"],
      [{ "Keyhole-Empty-Scopes": '"repo:acme/apy"' }, 3, "repo:acme/apy has no secrets, and nobody has declared it"],
    ] as const) {
      const answer = withHeaders(headers as Record<string, string>);
      service.answer = ({ url }) => {
        asked.push(url);
        return answer();
      };
      expect(await run()).toEqual({ code: 0, stdout: "sk-kept\n", stderr: `warning: ${message}\n` });
      service.answer = down;
      const kept = await run();
      expect(kept).toMatchObject({ code: 0, stdout: "sk-kept\n", stderr: expect.stringContaining(`warning: ${message}\n`) });
      expect(await run("--strict")).toMatchObject({ code: exit, stdout: "", stderr: expect.stringContaining(`error: ${message}\n`) });
      // What is refused is not kept: the one that is whole stays.
      service.answer = withHeaders({});
      expect(await run("--strict")).toEqual({ code: 0, stdout: "sk-kept\n", stderr: "" });
      service.answer = answer;
      expect(await run("--strict")).toMatchObject({ code: exit, stdout: "" });
      service.answer = down;
      expect(await run("--strict")).toMatchObject({ code: 0, stdout: "sk-kept\n" });
    }
    // A job's patience is for its answer: no scope that is spelled alike is looked for.
    expect(new Set(asked)).toEqual(new Set(["/v1/resolve?format=env"]));
    await service.stop();
    cli.remove();
  });

  it("says how old the answer is that it uses while the service is down", async () => {
    const cli = buildKeyhole();
    const service = await startFakeService(() => ({ json: VARIABLES }));
    const env = { HOME: folder, KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token" };
    const run = () => runProgram(cli.path, ["run", "--fallback", "--", "sh", "-c", "echo $API_KEY"], { env });
    expect(await run()).toEqual({ code: 0, stdout: "sk-kept\n", stderr: "" });
    for (const [status, code, exit] of [
      [401, "unauthenticated", 4],
      [403, "forbidden", 4],
      [404, "secret-not-found", 3],
    ] as const) {
      service.answer = () => ({ status, code });
      expect(await run()).toMatchObject({ code: exit, stdout: "" });
    }
    await service.stop();
    const host = new URL(service.url).host;
    const warning = `warning: ${host} cannot be reached: nothing listens on this port (connection refused). Using the answer from just now; what changed since then is not in it.\n`;
    expect(await run()).toEqual({ code: 0, stdout: "sk-kept\n", stderr: warning });
    cli.remove();
  });
});
