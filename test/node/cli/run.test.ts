import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, closeSync, constants, copyFileSync, mkdtempSync, openSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findExecutable } from "../../../src/cli/find-executable.ts";
import { freePort } from "../support/free-port.ts";
import { type FakeService, startFakeService } from "./support/fake-service.ts";
import { runProgram } from "./support/run-program.ts";
import { SECRET_REPLY } from "./support/secret-reply.ts";
import { buildKeyhole } from "./support/start-keyhole.ts";

const CHILD = join(import.meta.dirname, "support/child.mjs");
const VALUE = "sk-value-that-must-not-show";
const TOKEN = "token-that-must-not-show";

const EXCHANGED = {
  ...{ access_token: "exchanged", token_type: "Bearer", expires_in: 900, scope: "secrets:resolve" },
  issued_token_type: "urn:ietf:params:oauth:token-type:access_token",
};

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

it("takes variables from a file, and the secrets that it refers to, each scope at once", async () => {
  const file = join(cli.folder, "variables.env");
  writeFileSync(file, "PLAIN=as it is\nA=keyhole://repo:acme/api/API_KEY\nB=keyhole://repo:acme/api/other\nC='keyhole://global/API_KEY'\n");
  const asked: object[] = [];
  const before = service.answer;
  service.answer = (_, body) => {
    const { scopes, names } = JSON.parse(body) as { scopes: string[]; names: string[] };
    asked.push({ scopes, names });
    const found = (name: string) => ({ value: `${name} of ${scopes[0]}`, encoding: "utf8", scope: scopes[0], id: "sec_1", version: 1 });
    return { json: { secrets: Object.fromEntries(names.map((name) => [name, found(name)])), missing: [], searched: scopes } };
  };
  const { code, stdout } = await runProgram(cli.path, ["run", "--env-file", file, "--", "sh", "-c", 'echo "$PLAIN, $A, $B, $C"'], { env });
  writeFileSync(file, "A=keyhole://nowhere/API_KEY\n");
  const wrong = await runProgram(cli.path, ["run", "--env-file", file, "--", "echo", "ran"], { env });
  service.answer = before;
  expect({ code, stdout }).toEqual({ code: 0, stdout: "as it is, API_KEY of repo:acme/api, other of repo:acme/api, API_KEY of global\n" });
  expect(asked).toEqual([
    { scopes: ["repo:acme/api"], names: ["API_KEY", "other"] },
    { scopes: ["global"], names: ["API_KEY"] },
  ]);
  expect(wrong).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining("A is no reference to a secret") });
});

it.each(["LD_PRELOAD=./evil.so", "Path=./bin", "npm_config_script_shell=./sh", "NODE_OPTIONS=keyhole://global/API_KEY"])(
  "takes no variable from a file that decides which code runs: %s",
  async (line) => {
    const file = join(cli.folder, "hostile.env");
    writeFileSync(file, `A=1\n${line}\n`);
    const before = service.answer;
    const found = { value: "x", encoding: "utf8", scope: "global", id: "sec_1", version: 1 };
    service.answer = () => ({ json: { secrets: { API_KEY: found }, missing: [], searched: ["global"] } });
    const { code, stdout, stderr } = await runProgram(cli.path, ["run", "--env-file", file, "--", "echo", "ran"], { env });
    service.answer = before;
    expect({ ran: stdout, refused: code !== 0 }).toEqual({ ran: "", refused: true });
    expect(stderr).toContain("protected variable");
  },
);

it.each([
  ["is no name of one", { "A=B": "x" }, []],
  ["could be several lines", { "A\nPATH": "x" }, []],
  ["was not asked for", { API_KEY: "x", EXTRA: "x" }, ["--only", "API_KEY"]],
])("runs nothing where the service answers with a variable that %s", async (_, variables, args) => {
  const before = service.answer;
  service.answer = () => ({ json: variables });
  const outcome = await runProgram(cli.path, ["run", ...args, "--", "echo", "ran"], { env });
  service.answer = before;
  expect(outcome).toMatchObject({ code: 1, stdout: "", stderr: expect.stringMatching(/^error: The reply (?:is not what the contract says|has variables)/) });
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
    // Where it takes keyhole's place, it is the shell around it that says so.
    const { code } = await runProgram("sh", ["-c", `"$0" run -- sh -c 'kill -TERM $$'; exit $?`, cli.path], { env });
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
    const [message, hint] = ["left out: OLD (expired)", "without --strict this is a warning"];
    const error = `error: ${message}\nhint: ${hint}\n`;
    const asJson = `${JSON.stringify({ error: { message, hint, exit_code: 6 } })}\n`;
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
      expect([line[0], code, stdout, stderr]).toEqual([line[0], 6, "", line.includes("--json") ? asJson : error]);
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

describe.runIf(process.platform === "linux")("a command in keyhole's place", () => {
  const findings = async (options: readonly string[]) => {
    const script = "echo $$; grep SigIgn /proc/self/status; for fd in 1 2; do grep flags /proc/self/fdinfo/$fd; done";
    const child = spawn(cli.path, ["run", ...options, "--", "sh", "-c", script], { env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
    await once(child, "close");
    const [pid, ignored, ...flags] = output.trim().split("\n");
    const blocking = flags.map((line) => (Number.parseInt(line.replace("flags:", ""), 8) & constants.O_NONBLOCK) === 0);
    return { replaced: Number(pid) === child.pid, ignored: ignored?.replace(/\s+/, " "), blocking };
  };

  it("has its number where Node can do that and nothing is masked, and is started as it would be without us", async () => {
    const usual = { ignored: "SigIgn: 0000000000000000", blocking: [true, true] };
    // The Node that runs the tests can.
    expect(await findings([])).toEqual({ replaced: true, ...usual });
    for (const option of ["--mask", "--no-replace"]) expect(await findings([option])).toEqual({ replaced: false, ...usual });
  });

  it("that the system refuses all the same is an error of keyhole's", async () => {
    const busy = join(cli.folder, "busy");
    copyFileSync("/bin/sh", busy);
    chmodSync(busy, 0o755);
    const open = openSync(busy, "r+");
    const run = (...options: string[]) => runProgram(cli.path, ["run", ...options, "--", busy, "-c", "echo ran"], { env });
    const refused = [await run(), await run("--no-replace")];
    closeSync(open);
    const stderr = `error: ${busy} cannot be run (ETXTBSY)\nhint: is it a program that you may execute?\n`;
    expect(refused).toEqual([1, 2].map(() => ({ code: 126, stdout: "", stderr })));
    expect(await run()).toEqual({ code: 0, stdout: "ran\n", stderr: "" });
  });

  it("is only a program that the system will surely run", () => {
    const write = (name: string, content: string | Buffer, mode = 0o755) => {
      writeFileSync(join(cli.folder, name), content, { mode });
      return name;
    };
    const program = readFileSync("/bin/sh");
    const other = Buffer.from(program);
    other.writeUInt16LE(0x1234, 18);
    const lost = Buffer.from(program.toString("latin1").replace("/ld-", "/no-"), "latin1");
    const good = [write("program", program), write("script", "#!/bin/sh -e\n"), write("by-env", "#! /usr/bin/env node\n")];
    const bad = [
      ...[write("other-machine", other), write("no-loader", lost), write("cut-short", program.subarray(0, 80)), write("not-executable", program, 0o644)],
      ...[
        write("no-mark", "echo\n"),
        write("no-interpreter", "#!/no/such\n"),
        write("windows", "#!/bin/sh\r\n"),
        write("script-of-script", `#!${cli.folder}/script\n`),
      ],
      ...["nowhere", "dist"],
    ];
    const path = `/no/such:${cli.folder}`;
    expect(good.map((name) => findExecutable(name, path))).toEqual(good.map((name) => join(cli.folder, name)));
    expect(bad.filter((name) => findExecutable(name, path) !== undefined)).toEqual([]);
    expect(findExecutable(`${cli.folder}/program`, undefined)).toBe(join(cli.folder, "program"));
    expect(findExecutable("program", undefined)).toBeUndefined();
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
  const reply = { json: EXCHANGED };
  const answer = (url: string) => (url === "/oauth/token" ? reply : { json: { API_KEY: VALUE } });
  const runIn = (job: Record<string, string>) => {
    const { KEYHOLE_TOKEN: _, ...rest } = env;
    return runProgram(cli.path, ["run", "--", "sh", "-c", "echo ran"], { env: { ...rest, KEYHOLE_TRUST: "acme/github", ...job } });
  };
  const runner = () => ({ ACTIONS_ID_TOKEN_REQUEST_URL: `${service.url}/identity?v=1`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-token" });

  it("goes on when the endpoint of its identity and the exchange fail once", async () => {
    const failed = new Set<string>();
    service.answer = ({ url = "" }) => {
      const path = url.split("?")[0] ?? "";
      if (path !== "/v1/resolve" && !failed.has(path)) return failed.add(path) && { status: 503, code: "storage-unavailable" };
      return path === "/identity" ? { json: { value: "identity" } } : answer(path);
    };
    expect(await runIn(runner())).toEqual({ code: 0, stdout: "ran\n", stderr: "" });
    expect([...failed]).toEqual(["/identity", "/oauth/token"]);
  });

  it.each([
    [503, 5, "answers 503.", "run it again in a while"],
    [403, 4, "answers 403.", "id-token: write"],
  ])("is told what to do when the endpoint goes on to answer %i", async (status, code, message, hint) => {
    service.answer = () => ({ status, code: "forbidden" });
    const { stderr, ...ended } = await runIn(runner());
    expect([ended, stderr.split("\n").slice(0, 2)]).toEqual([{ code, stdout: "" }, [expect.stringContaining(message), expect.stringContaining(hint)]]);
  });

  it("may have a line end after its identity token", async () => {
    const subjects: (string | null)[] = [];
    service.answer = ({ url = "" }, body) => {
      if (url === "/oauth/token") subjects.push(new URLSearchParams(body).get("subject_token"));
      return answer(url);
    };
    expect(await runIn({ KEYHOLE_IDENTITY: "identity\n" })).toMatchObject({ code: 0, stderr: "" });
    expect(subjects).toEqual(["identity"]);
  });

  it("has its identity token exchanged, and its command gets the secrets and no token", async () => {
    const asked: string[] = [];
    service.answer = ({ url = "", headers }, body) => {
      asked.push(
        [url, headers.authorization ?? "", new URLSearchParams(body).get("subject_token") ?? "", new URLSearchParams(body).get("audience") ?? ""].join(" "),
      );
      if (url.startsWith("/identity")) return { json: { value: "identity" } };
      return answer(url);
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

describe("an address where the service cannot be reached", () => {
  const resolveAt = (url: string, more: Record<string, string>) =>
    runProgram(cli.path, ["resolve", "A", "--insecure"], { env: { ...env, KEYHOLE_URL: url, ...more } });

  it.each<[string, () => string | Promise<string>, string, string, string?]>([
    ["no name of", () => "https://no-such-name.invalid", "there is no such name (DNS)", "HTTPS_PROXY"],
    ["where nothing listens", async () => `http://127.0.0.1:${await freePort()}`, "connection refused", "does the service run?"],
    ["https where http is", () => service.url.replace("http:", "https:"), "what answers does not speak TLS", "http://"],
    ["behind a proxy that is not there", () => "https://keyhole.test", "the proxy refuses", "check HTTPS_PROXY", "127.0.0.1:9"],
  ])("is told from others: %s", async (_, address, message, hint, proxy = "") => {
    const { code, stderr } = await resolveAt(await address(), { https_proxy: proxy });
    expect([code, stderr.split("\n")]).toEqual([5, [expect.stringContaining(message), expect.stringContaining(hint), ""]]);
  });
});

describe("a scope that is misspelled", () => {
  it("has one that is spelled alike looked for once, and only with a token that says it may", async () => {
    const asked: string[] = [];
    const scopes = [{ scope: "namespace:prod", parent: null, secrets: 1 }];
    service.answer = ({ url = "" }) => {
      asked.push(url);
      if (url === "/oauth/token") return { json: { ...EXCHANGED, access_token: token("secrets:read secrets:resolve") } };
      if (url.startsWith("/v1/scopes")) return { json: { scopes, next_cursor: "more" } };
      return { json: { API_KEY: VALUE }, headers: { "Keyhole-Empty-Scopes": '"namespace:prd"' } };
    };
    const token = (scope: string) => `e30.${Buffer.from(JSON.stringify({ scope })).toString("base64url")}.x`;
    const run = async (KEYHOLE_TOKEN: string, more: Record<string, string> = {}) => {
      const { stderr } = await runProgram(cli.path, ["run", "--", "true"], { env: { ...env, KEYHOLE_TOKEN, ...more } });
      return [stderr, asked.splice(0).length];
    };
    const alone = "warning: namespace:prd has no secrets, and nobody has declared it\n";
    const near = "warning: namespace:prd has no secrets; did you mean namespace:prod?\n";
    expect(await run(token("secrets:read secrets:resolve"))).toEqual([near, 2]);
    expect(await run("", { KEYHOLE_TRUST: "acme/github", KEYHOLE_IDENTITY: "identity" })).toEqual([near, 3]);
    expect(await run(token("secrets:resolve"))).toEqual([alone, 1]);
    expect(await run("no-token-of-ours")).toEqual([alone, 1]);
  });
});

describe("a delete whose reply is lost", () => {
  it("is not said to be for good, unless that was asked for, and where to look is said", async () => {
    const remove = (...options: string[]) => {
      const answers = [
        { status: 503, code: "storage-unavailable" },
        { status: 404, code: "secret-not-found" },
      ];
      service.answer = () => answers.shift() ?? { json: { secrets: [], next_cursor: null } };
      return runProgram(cli.path, ["delete", "A", "--yes", ...options], { env });
    };
    const look = "The reply was lost: whether and until when it can come back is not known. `keyhole list --deleted --name A --scope global` says it.";
    expect(await remove()).toEqual({ code: 0, stdout: "", stderr: `Deleted A in global. ${look}\n` });
    expect(JSON.parse((await remove("--json")).stdout)).toEqual({ deleted: { name: "A", scope: "global" } });
    expect(await remove("--purge")).toMatchObject({ code: 0, stderr: "Deleted A in global, for good.\n" });
  });
});

describe("a proxy", () => {
  it("is gone by, but for what NO_PROXY names", async () => {
    service.answer = () => ({ json: { API_KEY: VALUE } });
    const asked: string[] = [];
    const port = Number(new URL(service.url).port);
    const proxy = createServer((request, response) => {
      asked.push(request.url ?? "");
      response.writeHead(502).end();
    }).on("connect", ({ url = "" }, socket: Socket) => {
      asked.push(url);
      if (url.startsWith("refused.")) return void socket.end("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n");
      const through: Socket = connect(port, "127.0.0.1", () => {
        socket.write("HTTP/1.1 200 OK\r\n\r\n");
        socket.pipe(through).pipe(socket);
      });
    });
    await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
    const HTTP_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    const run = (more: Record<string, string>) =>
      runProgram(cli.path, ["resolve", "--format", "env", "--insecure"], { env: { ...env, KEYHOLE_URL: "http://keyhole.invalid", HTTP_PROXY, ...more } });
    expect(await run({})).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining(VALUE) });
    expect(await run({ NO_PROXY: "other.example,.invalid" })).toMatchObject({ code: 5, stderr: expect.stringContaining("no such name") });
    expect(await run({ KEYHOLE_URL: "http://refused.invalid" })).toMatchObject({ code: 5, stderr: expect.stringContaining("the proxy refuses") });
    // What stays on this machine may go in the clear, and so never to a proxy.
    expect(await run({ KEYHOLE_URL: service.url })).toMatchObject({ code: 0 });
    // Nor where Node is told to look at these variables by itself.
    const byNode = { NODE_USE_ENV_PROXY: "1", HTTPS_PROXY: HTTP_PROXY };
    expect(await run({ KEYHOLE_URL: service.url, ...byNode })).toMatchObject({ code: 0 });
    expect(await run({ NO_PROXY: ".invalid", ...byNode })).toMatchObject({ code: 5, stderr: expect.stringContaining("no such name") });
    expect(await run({ KEYHOLE_URL: service.url, ...byNode, HTTP_PROXY: "" })).toMatchObject({ code: 0 });
    expect(await run({ HTTP_PROXY: "socks5://127.0.0.1:1080" })).toMatchObject({ code: 2, stderr: expect.stringContaining("HTTP_PROXY is not the address") });
    expect(new Set(asked)).toEqual(new Set(["keyhole.invalid:80", "refused.invalid:80"]));
    proxy.closeAllConnections();
    proxy.close();
  });
});

it("a token that expired is said to have, and since when", async () => {
  service.answer = () => ({ status: 401, code: "unauthenticated" });
  const expired = (exp: number) => `e30.${Buffer.from(JSON.stringify({ exp })).toString("base64url")}.x`;
  const run = (exp: number) => runProgram(cli.path, ["resolve", "A"], { env: { ...env, KEYHOLE_TOKEN: expired(exp) } });
  const past = Math.floor(Date.now() / 1000) - 2 * 86_400 - 60;
  const message = `error: the token expired 2 days ago, at ${new Date(past * 1000).toISOString()}\n`;
  expect(await run(past)).toMatchObject({ code: 4, stderr: expect.stringContaining(message) });
  expect(await run(past + 10 * 86_400)).toMatchObject({ code: 4, stderr: expect.stringContaining("the service does not accept this token") });
});

describe.runIf(process.platform === "linux")("a listing of processes", () => {
  it("shows neither the token nor a value while values are set, resolved and used", async () => {
    const seen: string[] = [];
    service.answer = ({ method }) => {
      seen.push(commandLines());
      return { json: method === "PUT" ? SECRET_REPLY : { API_KEY: VALUE } };
    };
    expect((await runProgram(cli.path, ["set", "API_KEY", "--scope", "global", "--stdin"], { env, stdin: VALUE })).code).toBe(0);
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

describe("a command that is watched for", () => {
  /** A service with one secret, whose value and version a test changes. */
  function serve(secret: { value: string; version: number; down?: boolean }) {
    const { answer } = service;
    service.answer = ({ url = "" }) => {
      if (secret.down) return { status: 503, code: "storage-unavailable" };
      if (url.includes("format=env")) return { json: { API_KEY: secret.value } };
      const found = { value: secret.value, encoding: "utf8", scope: "global", id: "sec_1", version: secret.version };
      return { json: { secrets: { API_KEY: found }, missing: [], searched: ["global"] }, headers: { ETag: `"${secret.version}"` } };
    };
    return () => {
      service.answer = answer;
    };
  }

  function watch(args: readonly string[], script: string, on: (text: string, child: ReturnType<typeof spawn>, which: "stdout" | "stderr") => void) {
    const child = spawn(cli.path, ["run", "--watch", "--interval", "1s", ...args, "--", "sh", "-c", script], { env, stdio: ["ignore", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    for (const which of ["stdout", "stderr"] as const)
      child[which].setEncoding("utf8").on("data", (text: string) => {
        output[which] += text;
        on(output[which], child, which);
      });
    return once(child, "close").then(([code]) => ({ code: code as number | null, ...output }));
  }

  const RUNS = "while :; do sleep 0.05; done";

  it("stays as it is while the service does not answer, is started again when a secret has changed, and a signal ends both", async () => {
    const secret = { value: "first-value", version: 1, down: false };
    const restore = serve(secret);
    const { code, stdout, stderr } = await watch([], `trap 'echo ended; exit 3' TERM; echo "has $API_KEY"; ${RUNS}`, (text, child, which) => {
      if (which === "stdout" && text === "has first-value\n") secret.down = true;
      if (text.includes("goes on as it is")) Object.assign(secret, { down: false, value: "second-value", version: 2 });
      if (which === "stdout" && text.endsWith("has second-value\n")) child.kill("SIGINT");
    });
    restore();
    expect({ code, stdout }).toEqual({ code: 130, stdout: "has first-value\nended\nhas second-value\n" });
    expect(stderr.split("\n")).toEqual([
      expect.stringMatching(/^warning: the command goes on as it is, because this failed: /),
      "The service answers again.",
      "Changed: API_KEY (version 2, from global).",
      "",
    ]);
  });

  it("gets a signal instead where one is named, and its output is masked of the new value too", async () => {
    const secret = { value: "first-value", version: 1 };
    const restore = serve(secret);
    const script = `trap 'echo "now second-value, before $API_KEY"; exit 5' HUP; echo ready; ${RUNS}`;
    const { code, stdout } = await watch(["--signal", "SIGHUP", "--mask"], script, (text, _, which) => {
      if (which === "stdout" && text === "ready\n") Object.assign(secret, { value: "second-value", version: 2 });
    });
    restore();
    expect({ code, stdout }).toEqual({ code: 5, stdout: "ready\nnow [masked], before [masked]\n" });
  });

  it("that is not there is an error as without it", async () => {
    const restore = serve({ value: "first-value", version: 1 });
    const { code, stderr } = await runProgram(cli.path, ["run", "--watch", "--", "no-such-command-here"], { env });
    restore();
    expect({ code, stderr }).toMatchObject({ code: 127, stderr: expect.stringContaining("no such command") });
  });
});

it.each(["SIGINT", "SIGTERM"] as const)("files of values are taken away when %s ends the command that they are for", async (signal) => {
  const before = service.answer;
  service.answer = () => ({
    json: { secrets: { API_KEY: { value: VALUE, encoding: "utf8", scope: "global", id: "sec_1", version: 1 } }, missing: [], searched: [] },
  });
  const place = join(cli.folder, `mounted-${signal}`);
  const script = 'cat "$0/API_KEY"; echo; env | grep -c KEYHOLE_; while :; do sleep 0.05; done';
  const child = spawn(cli.path, ["resolve", "--mount", place, "--", "sh", "-c", script, place], { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output === `${VALUE}\n0\n`) child.kill(signal);
  });
  const [code] = await once(child, "close");
  service.answer = before;
  expect(code).toBe(128 + { SIGINT: 2, SIGTERM: 15 }[signal]);
  expect(readdirSync(cli.folder).filter((name) => name.includes("mounted"))).toEqual([]);
});
