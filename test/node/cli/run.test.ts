import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type FakeService, startFakeService } from "./support/fake-service.ts";
import { runProgram } from "./support/run-program.ts";
import { SECRET_REPLY } from "./support/secret-reply.ts";
import { buildKeyhole } from "./support/start-keyhole.ts";

const CHILD = join(import.meta.dirname, "support/child.mjs");
const VALUE = "sk-value-that-must-not-show";
const TOKEN = "token-that-must-not-show";

let service: FakeService;
let cli: ReturnType<typeof buildKeyhole>;
let env: Record<string, string>;

beforeAll(async () => {
  cli = buildKeyhole();
  service = await startFakeService(() => ({ json: { API_KEY: VALUE } }));
  env = { PATH: process.env.PATH ?? "", KEYHOLE_URL: service.url, KEYHOLE_TOKEN: TOKEN, HOME: cli.folder };
});

afterAll(async () => {
  await service?.stop();
  cli?.remove();
});

/** The command lines of all processes, as everybody on the machine can read them. */
function commandLines(): string {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "latin1");
      } catch {
        return "";
      }
    })
    .join("\n");
}

describe("a command that runs", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("gets %s, and its own exit code counts", async (signal) => {
    const child = spawn(cli.path, ["run", "--", process.execPath, CHILD], { env, stdio: ["pipe", "pipe", "inherit"] });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (text.includes("ready")) child.kill(signal);
      if (text.includes("caught")) child.stdin.end("a line\n");
    });
    const [code] = await once(child, "close");
    expect({ code, output }).toEqual({ code: 5, output: `ready, without a terminal\ncaught ${signal}\nread a line with ${VALUE}\n` });
  });

  it("reads a pipe that has nothing for it yet, as it would without us", async () => {
    const child = spawn(cli.path, ["run", "--", "sh", "-c", 'echo ready; while read -r line; do echo "$line"; done'], {
      env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output === "ready\n") child.stdin.write("first\n");
      if (text.endsWith("first\n")) child.stdin.end("second\n");
    });
    const [code] = await once(child, "close");
    expect({ code, output }).toEqual({ code: 0, output: "ready\nfirst\nsecond\n" });
  });

  it("goes on when nobody reads its masked output any more, and its own exit code counts", async () => {
    // The shell sees that nobody reads, as it would without us; what it does then is its own affair.
    const script = "trap '' PIPE; while echo more; do :; done 2>/dev/null; read -r line; exit 7";
    const child = spawn(cli.path, ["run", "--mask", "--", "sh", "-c", script], { env, stdio: ["pipe", "pipe", "inherit"] });
    child.stdout.once("data", () => child.stdout.destroy());
    child.stdin.end("a line\n");
    const [code] = await once(child, "close");
    expect(code).toBe(7);
  });

  it.runIf(process.platform === "linux")("ends before keyhole says that its masked output could not be written", async () => {
    const script = `"$0" run --mask -- sh -c 'echo lost; read -r line; echo "$line" >&2; exit 7' > /dev/full`;
    const { code, stderr } = await runProgram("sh", ["-c", script, cli.path], { env, stdin: "went on\n" });
    expect({ code, first: stderr.split("\n")[0], error: stderr.match(/error: .*/)?.[0] }).toEqual({
      code: 1,
      first: "went on",
      error: "error: ENOSPC: no space left on device, write",
    });
  });

  it("leaves keyhole to be ended by a signal when it is over and something that it started still holds its masked output", async () => {
    const child = spawn(cli.path, ["run", "--mask", "--", "sh", "-c", "exec 3<&0; cat <&3 & echo started"], { env, stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout, "data");
    // The command may be the one that the first of them ends.
    const again = setInterval(() => child.kill("SIGTERM"), 20);
    const [, signal] = await once(child, "close");
    clearInterval(again);
    child.stdin.end();
    expect(signal).toBe("SIGTERM");
  });

  it("ends with 128 and the number of the signal that ends it", async () => {
    const { code } = await runProgram(cli.path, ["run", "--", "sh", "-c", "kill -TERM $$"], { env });
    expect(code).toBe(143);
  });

  it("that cannot be started ends with 126, and one that is not named is a mistake in the command line", async () => {
    const run = (file: string) => runProgram(cli.path, ["run", "--", file], { env });
    const notRun = (file: string, code: string) => `error: ${file} cannot be run (${code})\nhint: is it a program that you may execute?\n`;
    const inFile = `${CHILD}/program`;
    expect(await run(inFile)).toEqual({ code: 126, stdout: "", stderr: notRun(inFile, "ENOTDIR") });
    const long = `/${"x".repeat(300)}`;
    expect(await run(long)).toEqual({ code: 126, stdout: "", stderr: notRun(long, "ENAMETOOLONG") });
    expect(await run("")).toMatchObject({ code: 2, stderr: expect.stringContaining("error: there is no command to run\n") });
  });

  it("that would get more than the system allows is not started, and the hint says what to leave out", async () => {
    service.answer = () => ({ json: Object.fromEntries(Array.from({ length: 200 }, (_, n) => [`KEY_${n}`, "x".repeat(65_536)])) });
    const refused = await runProgram(cli.path, ["run", "--", "true"], { env });
    service.answer = () => ({ json: { API_KEY: VALUE } });
    const stderr = "error: true cannot be run (E2BIG): its arguments and environment are too large\nhint: name fewer secrets with --only\n";
    expect(refused).toEqual({ code: 126, stdout: "", stderr });
  });

  it("runs without what the service leaves out, and a warning says what that is and why", async () => {
    const leftOut = '"SMTP";reason=not-here-yet, "user";reason=skipped, "OLD";reason=expired;more=2';
    service.answer = () => ({ json: { API_KEY: VALUE }, headers: { "Keyhole-Left-Out": leftOut } });
    const ran = await runProgram(cli.path, ["run", "--", "sh", "-c", "echo $API_KEY"], { env });
    const resolved = await runProgram(cli.path, ["resolve", "--format", "env"], { env });
    service.answer = () => ({ json: { API_KEY: VALUE } });
    const stderr = "warning: left out: SMTP (cannot be had now: not-here-yet), user (its variable is reserved), OLD (expired), and 2 more\n";
    expect(ran).toEqual({ code: 0, stdout: `${VALUE}\n`, stderr });
    expect(resolved).toMatchObject({ code: 0, stderr });
  });

  it("is not run with --strict when anything is left out, and resolve prints nothing: exit code 6", async () => {
    const { API_KEY } = { API_KEY: VALUE };
    const secrets = { API_KEY: { value: API_KEY, encoding: "utf8", scope: "global", id: "sec_1", version: 1 } };
    const error = "error: left out: OLD (expired)\nhint: without --strict this is a warning\n";
    service.answer = ({ url = "" }) =>
      url.includes("format=json")
        ? { json: { secrets, missing: [], expired: ["OLD"], searched: ["global"] } }
        : { json: { API_KEY }, headers: { "Keyhole-Left-Out": '"OLD";reason=expired' } };
    const lines = [
      ["run", "--strict", "--", "echo", "ran"],
      ["resolve", "--format", "env", "--strict"],
      ["resolve", "--json", "--strict"],
    ];
    for (const line of lines) {
      const { code, stdout, stderr } = await runProgram(cli.path, line, { env });
      expect([line[0], code, stdout, stderr]).toEqual([line[0], 6, "", error]);
    }
    service.answer = () => ({ json: { API_KEY } });
    expect(await runProgram(cli.path, ["run", "--strict", "--", "echo", "ran"], { env })).toMatchObject({ code: 0, stdout: "ran\n", stderr: "" });
  });

  it("finds nothing in its environment with which it could get more, unless that is asked for", async () => {
    const more = {
      KEYHOLE_PROFILE: "",
      KEYHOLE_IDENTITY: "id",
      ACTIONS_ID_TOKEN_REQUEST_URL: "https://x.example",
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t",
      KEPT: "1",
    };
    const names = async (...options: string[]) => {
      const { stdout } = await runProgram(cli.path, ["run", ...options, "--", "env"], { env: { ...env, ...more } });
      return stdout
        .split("\n")
        .flatMap((line) => /^(KEYHOLE_\w+|ACTIONS_\w+|KEPT|API_KEY)=/.exec(line)?.[1] ?? [])
        .sort();
    };
    expect(await names()).toEqual(["API_KEY", "KEPT"]);
    expect(await names("--no-secrets")).toEqual(["KEPT"]);
    expect(await names("--pass-token")).toEqual(["API_KEY", ...Object.keys(more), "KEYHOLE_TOKEN", "KEYHOLE_URL"].sort());
  });

  it("is refused a secret that would decide which code runs", async () => {
    service.answer = () => ({ json: { LD_PRELOAD: VALUE } });
    const refused = await runProgram(cli.path, ["run", "--", "echo", "ran"], { env });
    service.answer = () => ({ json: { API_KEY: VALUE } });
    expect(refused).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "error: the secret LD_PRELOAD would replace a protected variable (LD_*: loaders and the C library)\nhint: name the ones you want with --only, or rename it\n",
    });
  });
});

describe.runIf(process.platform === "linux")("a disk that is full", () => {
  it("is an error of two lines", async () => {
    const resolved = await runProgram("sh", ["-c", '"$0" resolve --format env > /dev/full', cli.path], { env });
    const stderr = "error: ENOSPC: no space left on device, write\nhint: make room where it is written to\n";
    expect(resolved).toEqual({ code: 1, stdout: "", stderr });
  });
});

describe("a login without a home folder", () => {
  it("is refused, and puts no token where it was started", async () => {
    service.answer = () => ({
      json: { org: "acme", sub: "ada", token_id: null, permissions: [], secret_scopes: null, secret_names: null, expires_at: null, lease_seconds: 0 },
    });
    const cwd = mkdtempSync(join(cli.folder, "here-"));
    const login = (env: Record<string, string>) => runProgram(cli.path, ["login", service.url, "--stdin", "--plain-file"], { env, cwd, stdin: TOKEN });
    const stderr = "error: there is no home folder to keep a profile in\nhint: set HOME or XDG_CONFIG_HOME to an absolute path\n";
    expect(await login({ HOME: "" })).toEqual({ code: 1, stdout: "", stderr });
    expect(await login({ HOME: "", XDG_CONFIG_HOME: "config" })).toEqual({ code: 1, stdout: "", stderr });
    expect(readdirSync(cwd)).toEqual([]);
  });
});

describe("a job of GitHub's", () => {
  it("has its identity token exchanged, and its command gets the secrets and no token", async () => {
    const asked: string[] = [];
    service.answer = ({ url = "", headers }, body) => {
      asked.push(
        [url, headers.authorization ?? "", new URLSearchParams(body).get("subject_token") ?? "", new URLSearchParams(body).get("audience") ?? ""].join(" "),
      );
      if (url.startsWith("/identity")) return { json: { value: "identity" } };
      const exchanged = { access_token: "exchanged", token_type: "Bearer", expires_in: 900, scope: "secrets:resolve" };
      if (url === "/oauth/token") return { json: { ...exchanged, issued_token_type: "urn:ietf:params:oauth:token-type:access_token" } };
      return { json: { API_KEY: VALUE } };
    };
    const { KEYHOLE_TOKEN: _, ...rest } = env;
    const job = { ACTIONS_ID_TOKEN_REQUEST_URL: `${service.url}/identity?v=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token", KEYHOLE_TRUST: "acme/github" };
    const ran = await runProgram(cli.path, ["run", "--", "sh", "-c", 'echo "$API_KEY $KEYHOLE_TOKEN"'], { env: { ...rest, ...job } });
    expect(ran).toEqual({ code: 0, stdout: `${VALUE} \n`, stderr: "" });
    expect(asked.map((line) => line.trim())).toEqual([
      `/identity?v=1&audience=${encodeURIComponent(service.url)} Bearer request-token`,
      "/oauth/token  identity acme/github",
      "/v1/resolve?format=env Bearer exchanged",
    ]);
    const without = await runProgram(cli.path, ["run", "--", "true"], { env: { ...rest, KEYHOLE_TRUST: "acme/github" } });
    expect(without).toMatchObject({ code: 4, stderr: expect.stringContaining("no identity token") });
  });
});

describe.runIf(process.platform === "linux")("a listing of processes", () => {
  it("shows neither the token nor a value while values are set, resolved and used", async () => {
    const seen: string[] = [];
    service.answer = ({ method }) => {
      seen.push(commandLines());
      return { json: method === "PUT" ? SECRET_REPLY : { API_KEY: VALUE } };
    };
    expect((await runProgram(cli.path, ["set", "API_KEY", "--stdin"], { env, stdin: VALUE })).code).toBe(0);
    const child = spawn(cli.path, ["run", "--", "sh", "-c", "echo running; read -r line"], { env, stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout, "data");
    seen.push(commandLines());
    child.stdin.end("\n");
    await once(child, "close");
    expect(seen).toHaveLength(3);
    // Each shows the program that holds them, so it would show them too.
    expect(seen.every((listing) => listing.includes("API_KEY") || listing.includes("echo running"))).toBe(true);
    expect(seen.filter((listing) => listing.includes(VALUE) || listing.includes(TOKEN))).toEqual([]);
  });
});
