import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, type Stats, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { doubtAbout, findProject } from "../../../src/cli/project-file.ts";
import { type FakeService, startFakeService } from "./support/fake-service.ts";
import { type Outcome, runProgram } from "./support/run-program.ts";
import { buildKeyhole } from "./support/start-keyhole.ts";

let service: FakeService;
let cli: ReturnType<typeof buildKeyhole>;
let home: string;

beforeAll(async () => {
  cli = buildKeyhole();
  service = await startFakeService(() => ({ json: WHO }));
});

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "keyhole-profiles-"));
  return () => rmSync(home, { recursive: true });
});

afterAll(async () => {
  await service?.stop();
  cli?.remove();
});

function keyhole(args: readonly string[], env: Record<string, string> = {}): Promise<Outcome> {
  return runProgram(cli.path, args, { env: { HOME: home, ...env }, stdin: "token" });
}

const login = (env: Record<string, string>, ...args: string[]) => keyhole(["login", service.url, "--stdin", "--plain-file", ...args], env);

async function saved(): Promise<string[]> {
  return JSON.parse((await keyhole(["status", "--json"])).stdout).profiles.sort();
}

const WHO = { org: "acme", sub: "ada", token_id: null, permissions: [], secret_scopes: null, secret_names: null, expires_at: null, lease_seconds: 0 };

/** A `keyhole login` that waits for somebody. Without a PATH no browser is opened. */
function waitingLogin(...args: string[]) {
  const child = spawn(process.execPath, [cli.path, "login", service.url, "--plain-file", ...args], {
    env: { HOME: home },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  const asked = Promise.withResolvers<URL>();
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
    const [, address] = /^ {2}(http\S+)\n/m.exec(said) ?? [];
    if (address !== undefined) asked.resolve(new URL(address));
  });
  const ended = new Promise<{ code: number | null; stderr: string }>((resolve) => void child.once("close", (code) => resolve({ code, stderr: said })));
  return { asked: asked.promise, ended };
}

/** Asks a server for a path as it is written, and says with what status it answers. */
function statusOf(origin: string, path: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(origin);
    get({ hostname, port, path }, (reply) => resolve(reply.resume().statusCode)).once("error", reject);
  });
}

describe("a login", () => {
  beforeEach(() => {
    const before = service.answer;
    return () => {
      service.answer = before;
    };
  });

  it("in the browser waits for its own answer, whatever else comes to its port", async () => {
    service.answer = ({ url }) => ({ json: url === "/oauth/token" ? { access_token: "given" } : WHO });
    const { asked, ended } = waitingLogin("--browser");
    const query = (await asked).searchParams;
    const [port, state] = [query.get("redirect_uri") ?? "", query.get("state") ?? ""];
    const answer = (said: Record<string, string>) => `/callback?${new URLSearchParams({ code: "c", state, iss: service.url, ...said })}`;
    for (const path of ["//", "http://[", answer({ state: "another" }), answer({ iss: "https://mallory.example" }), "/"])
      expect([path, await statusOf(port, path)]).toEqual([path, 404]);
    expect(await statusOf(port, answer({}))).toBe(200);
    expect(await ended).toMatchObject({ code: 0, stderr: expect.stringContaining("Logged in") });
  });

  it("of a device goes on asking while the deployment cannot answer, and not after its code has expired", async () => {
    const device = {
      device_code: "d",
      user_code: "BCDF-GHJK",
      verification_uri: "https://k.example",
      verification_uri_complete: "https://k.example",
      interval: 0,
    };
    const refused = (error: string) => ({ status: 400, json: { error, error_description: "It is so." } });
    const polls = [refused("authorization_pending"), { ...refused("temporarily_unavailable"), status: 429 }, { json: { access_token: "given" } }];
    service.answer = ({ url }) => {
      if (url === "/oauth/device_authorization") return { json: { ...device, expires_in: 600 } };
      return url === "/oauth/token" ? (polls.shift() ?? refused("invalid_grant")) : { json: WHO };
    };
    expect(await waitingLogin("--device").ended).toMatchObject({ code: 0, stderr: expect.stringContaining("Logged in") });
    service.answer = ({ url }) => (url === "/oauth/token" ? refused("authorization_pending") : { json: { ...device, expires_in: 0 } });
    expect(await waitingLogin("--device").ended).toMatchObject({ code: 4, stderr: expect.stringContaining("expired_token") });
  });
});

describe("an address in the clear that is not this machine", () => {
  const addresses = [
    "http://keyhole.invalid",
    "http://127.attacker.example",
    "http://localhost.attacker.example",
    "http://10.0.0.1:8787",
    "http://[::ffff:127.0.0.1]",
  ];
  it.each(addresses)("%s is sent no token, by a login or any other command", async (url) => {
    const refusal = {
      code: 2,
      stdout: "",
      stderr: `error: ${url} is not https: the token and every value would cross the network in the clear\nhint: use its https address; --insecure if you mean it\n`,
    };
    expect(await keyhole(["login", url, "--stdin", "--plain-file"])).toEqual(refusal);
    for (const args of [["list"], ["set", "A", "--scope", "global", "--stdin"], ["run", "--", "true"]])
      expect(await keyhole(args, { KEYHOLE_URL: url, KEYHOLE_TOKEN: "a.b.c" })).toEqual(refusal);
    const identity = { KEYHOLE_URL: url, KEYHOLE_TRUST: "acme/github", KEYHOLE_IDENTITY: "a.b.c" };
    expect(await keyhole(["list"], identity)).toEqual(refusal);
  });

  it("is asked with --insecure, and a login says so before it sends anything", async () => {
    const url = "http://keyhole.invalid";
    const { stderr } = await keyhole(["login", url, "--stdin", "--plain-file", "--insecure"]);
    expect(stderr.split("\n").slice(0, 2)).toEqual([
      "warning: this address is not https: the token crosses the network in the clear",
      expect.stringContaining("error: keyhole.invalid cannot be reached"),
    ]);
  });
});

describe("a project file", () => {
  const url = "https://stranger.example";
  let project: string;
  const asked: string[] = [];

  beforeEach(() => {
    project = join(home, "project", "below");
    mkdirSync(project, { recursive: true });
    asked.splice(0);
    const before = service.answer;
    service.answer = (request, body) => {
      asked.push(`${request.method} ${request.url}`);
      return before(request, body);
    };
    return () => {
      service.answer = before;
    };
  });

  const write = (settings: unknown, mode = 0o644) => {
    writeFileSync(join(home, "project", "keyhole.json"), JSON.stringify(settings));
    chmodSync(join(home, "project", "keyhole.json"), mode);
  };
  const inside = (args: readonly string[], env: Record<string, string> = {}) =>
    runProgram(cli.path, args, { env: { HOME: home, ...env }, stdin: "value", cwd: project });

  it("chooses among the deployments that there is a token for, and sends none to another address", async () => {
    await login({}, "--profile", "one");
    write({ url });
    const stranger = await inside(["status"]);
    expect(stranger).toMatchObject({ code: 2, stdout: "", stderr: expect.stringContaining(`names ${url}, for which there is no token`) });
    expect(asked).toEqual(["GET /v1/whoami"]);
    write({ url: `${service.url}/`, profile: "one" });
    expect((await inside(["status"])).stderr).toContain("(profile one)");
    write({ url: service.url, profile: "other" });
    expect((await inside(["status"])).code).toBe(2);
  });

  it("takes the usual one of several profiles for its address, and no stronger one that happens to be there", async () => {
    await login({}, "--profile", "a-operator");
    await login({}, "--profile", "usual");
    const config = join(home, ".config/keyhole/config.json");
    writeFileSync(config, JSON.stringify({ ...JSON.parse(readFileSync(config, "utf8")), default: "usual" }));
    write({ url: service.url });
    expect((await inside(["status"])).stderr).toContain("(profile usual)");
    write({ url: service.url, profile: "a-operator" });
    expect((await inside(["status"])).stderr).toContain("(profile a-operator)");
  });

  it("says nothing of where a token of the environment goes", async () => {
    write({ url });
    const { code, stderr } = await inside(["status"], { KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token" });
    expect({ code, stderr }).toEqual({ code: 0, stderr: `${service.url} (KEYHOLE_TOKEN)\n` });
    expect(await inside(["status"], { KEYHOLE_TOKEN: "token" })).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("there is no deployment to talk to"),
    });
  });

  it("says which scope is meant, after the option and KEYHOLE_SCOPE", async () => {
    write({ scopes: ["repo:acme/api", "namespace:dev"] });
    const env = { KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token" };
    await inside(["set", "A", "--stdin"], env);
    await inside(["set", "A", "--stdin"], { ...env, KEYHOLE_SCOPE: "team:web" });
    await inside(["set", "A", "--stdin", "--scope", "global"], { ...env, KEYHOLE_SCOPE: "team:web" });
    expect(asked).toEqual(["repo:acme/api", "team:web", "global"].map((scope) => `PUT /v1/scopes/${encodeURIComponent(scope)}/secrets/A`));
  });

  it("is not believed where others may write it, or it is a link, and the one above it is not taken then", async () => {
    write({ scopes: ["repo:acme/api"] }, 0o666);
    const env = { KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token" };
    const open = await inside(["set", "A", "--stdin"], env);
    expect(open).toMatchObject({ code: 2, stderr: expect.stringMatching(/keyhole.json is not believed: others may write it[\s\S]*the scope is not named/) });
    write({ scopes: ["repo:acme/api"] });
    symlinkSync(join(home, "project", "keyhole.json"), join(project, "keyhole.json"));
    expect((await inside(["set", "A", "--stdin"], env)).stderr).toContain("it is no file");
    expect(await inside(["run", "--", "true"], env), "else the command would get everything that applies").toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/error: .*keyhole.json is not believed: it is no file.*\nhint: .*--only/),
    });
    expect(asked).toEqual([]);
  });

  it.each([
    [{ uid: 1001 }, {}, "belongs to user 1001"],
    [{ mode: 0o100664 }, {}, "others may write it"],
    [{ mode: 0o100664, gid: 1000 }, {}, undefined],
    [{ mode: 0o100666, gid: 1000 }, {}, "others may write it"],
    [{}, { uid: 1001 }, "its folder belongs to user 1001"],
    [{}, { mode: 0o40777 }, "everybody may write its folder"],
    [{}, { uid: 0, mode: 0o41777 }, undefined],
    [{}, {}, undefined],
  ])("belongs to the user, as does its folder (%#)", (file, folder, doubt) => {
    const stats = (more: object) => ({ uid: 1000, gid: 100, mode: 0o100644, size: 2, isFile: () => true, ...more }) as Stats;
    const found = doubtAbout(stats(file), stats({ mode: 0o40755, ...folder }), 1000);
    if (doubt === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(doubt);
  });

  it("is not looked for in a folder that may not be read, and what needs none of it works there", () => {
    const closed = join(home, "closed");
    mkdirSync(join(closed, "below"), { recursive: true });
    chmodSync(closed, 0o600);
    const isRoot = process.getuid?.() === 0;
    const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    if (isRoot) process.seteuid?.(65_534);
    try {
      expect(findProject(join(closed, "below"))).toBeUndefined();
      expect(written.mock.lastCall?.[0]).toMatch(/^warning: .*closed.* may not be read: no keyhole.json is looked for\n$/);
    } finally {
      if (isRoot) process.seteuid?.(0);
      written.mockRestore();
    }
  });

  it("is written with the names in .env, and with nothing of a value, which may have several lines", async () => {
    const key = "-----BEGIN KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+x\npartOfTheKey=\n-----END KEY-----";
    const env = join(project, ".env");
    writeFileSync(env, `A=1\n${key}\n`);
    expect(await inside(["init", "--scope", "repo:acme/api"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(".env has lines that are no variables"),
    });
    expect(readdirSync(project)).toEqual([".env"]);
    writeFileSync(env, `# of the app\nA=1\nexport KEY="${key}"\n\nB: two`);
    expect(await inside(["init", "--scope", "repo:acme/api"])).toMatchObject({ code: 0 });
    expect(JSON.parse(readFileSync(join(project, "keyhole.json"), "utf8")).required).toEqual(["A", "KEY", "B"]);
    expect(readFileSync(join(project, ".env.example"), "utf8")).toBe("A=\nKEY=\nB=\n");
  });

  it("is not written where it could not be read, or would have a password", async () => {
    const address = await inside(["init", "--scope", "global"], { KEYHOLE_URL: "https://ada:password@keyhole.example" });
    expect(address).toMatchObject({ code: 2, stderr: expect.stringContaining("url: an address without a user, a password") });
    expect(address.stderr).not.toContain("ada");
    const scopes = ["a", "b", "c", "d", "e", "f"].flatMap((name) => ["--scope", `team:${name}`]);
    expect((await inside(["init", ...scopes])).code).toBe(2);
    expect(readdirSync(project)).toEqual([]);
  });

  it("comes with a line in .gitignore that counts, and not in what a link leads to", async () => {
    const elsewhere = join(home, "elsewhere");
    writeFileSync(elsewhere, "as it was");
    symlinkSync(elsewhere, join(project, ".gitignore"));
    const { stderr } = await inside(["init", "--scope", "global"]);
    expect(stderr).toContain("warning: .gitignore is no file");
    expect(readFileSync(elsewhere, "utf8")).toBe("as it was");
    for (const name of [".gitignore", "keyhole.json"]) rmSync(join(project, name));
    writeFileSync(join(project, ".gitignore"), ".env\n!.env");
    await inside(["init", "--scope", "global"]);
    expect(readFileSync(join(project, ".gitignore"), "utf8")).toBe(".env\n!.env\n.env\n");
  });

  it("is not looked for above the home folder", async () => {
    const outer = mkdtempSync(join(tmpdir(), "keyhole-outer-"));
    mkdirSync(join(outer, "home"));
    writeFileSync(join(outer, "keyhole.json"), JSON.stringify({ scopes: ["repo:acme/api"] }));
    const env = { HOME: join(outer, "home"), KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token" };
    const { stderr } = await runProgram(cli.path, ["set", "A", "--stdin"], { env, cwd: join(outer, "home") });
    rmSync(outer, { recursive: true });
    expect(stderr).toContain("the scope is not named");
  });

  it("says what `run` takes, and without what it does not run", async () => {
    write({ scopes: ["repo:acme/api"], required: ["API_KEY"], optional: ["db-password"] });
    let variables: Record<string, string> = { API_KEY: "key" };
    const bodies: unknown[] = [];
    service.answer = (_, body) => {
      bodies.push(JSON.parse(body));
      return { json: variables };
    };
    const env = { KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token" };
    expect(await inside(["run", "--", "sh", "-c", "echo $API_KEY"], env)).toMatchObject({ code: 0, stdout: "key\n" });
    expect(bodies).toEqual([{ scopes: ["repo:acme/api"], names: ["API_KEY", "db-password"], allow_missing: true }]);
    variables = { DB_PASSWORD: "password" };
    expect(await inside(["run", "--", "echo", "ran"], env)).toMatchObject({
      code: 3,
      stdout: "",
      stderr: expect.stringContaining("API_KEY: required by keyhole.json"),
    });
  });
});

describe("text from elsewhere", () => {
  /** Ends of lines, escape, a bell, control characters of C1, what turns the direction of writing, line separators, and a tag. */
  const hostile = [
    "\n",
    "\r",
    "\u001b",
    "\u0007",
    "\u007f",
    "\u0085",
    "\u009b",
    "\u009d",
    "\u061c",
    "\u200e",
    "\u200f",
    "\u202a",
    "\u202e",
    "\u2066",
    "\u2069",
  ];
  const sub = `a${[...hostile, "\u2028", "\u2029", "\u{e0041}"].join("b")}c`;

  it("does not reach the terminal as it is: in a table, in JSON or in a note, and in JSON it is the same text", async () => {
    const caller = { org: "acme", sub, token_id: null, permissions: [], secret_scopes: null, secret_names: null, lease_seconds: 0, expires_at: null };
    const { answer } = service;
    service.answer = () => ({ json: caller });
    try {
      const outcomes = [await login({}), await keyhole(["status"]), await keyhole(["status", "--json"])];
      for (const { code, stdout, stderr } of outcomes) {
        expect(code).toBe(0);
        expect(`${stdout}${stderr}`).not.toMatch(/^b/m);
        expect(`${stdout}${stderr}`.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
      }
      expect(outcomes[0]?.stderr).toContain(String.raw`as a\u{a}b\u{d}b\u{1b}b\u{7}b`);
      expect(outcomes[1]?.stdout).toContain(String.raw`b\u{9b}b`);
      expect(outcomes[2]?.stdout).toContain(String.raw`b\u202eb`);
      expect(JSON.parse(outcomes[2]?.stdout ?? "").sub).toBe(sub);
    } finally {
      service.answer = answer;
    }
  });
});

describe("a profile", () => {
  it("is the one that KEYHOLE_PROFILE names, for login and logout too", async () => {
    await login({});
    await login({ KEYHOLE_PROFILE: "staging" });
    expect(await saved()).toEqual(["default", "staging"]);
    expect((await keyhole(["logout"], { KEYHOLE_PROFILE: "staging" })).stderr).toContain("Forgot profile staging.");
    expect(await saved()).toEqual(["default"]);
  });

  it("that is this machine says nothing of which deployment is meant by login, logout and push", async () => {
    const env = { KEYHOLE_PROFILE: "local", KEYHOLE_LOCAL_STORE: "file" };
    expect(await keyhole(["login", service.url, "--stdin", "--profile", "local"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is this machine"),
    });
    await login(env);
    expect(await saved()).toEqual(["default"]);
    expect((await keyhole(["push"], env)).stderr).toContain("this token may not write secrets");
    expect((await keyhole(["usage"], env)).stderr).toContain("error: this needs a deployment");
    expect((await keyhole(["logout"], env)).stderr).toContain("Forgot profile default.");
  });

  it("called local that was saved before stays a deployment, but for --local", async () => {
    await login({});
    const config = join(home, ".config/keyhole/config.json");
    const tokens = join(home, ".config/keyhole/tokens.json");
    for (const path of [config, tokens])
      writeFileSync(path, readFileSync(path, "utf8").replaceAll("default ", "local ").replaceAll('"default": {', '"local": {'));
    const local = JSON.parse((await keyhole(["status", "--json", "--profile", "local"])).stdout);
    expect(local).toMatchObject({ url: service.url, source: "profile local" });
    expect(JSON.parse((await keyhole(["status", "--json", "--local"], { KEYHOLE_LOCAL_STORE: "file" })).stdout)).toMatchObject({
      profile: "local",
      scopes: ["global"],
    });
  });

  it("is not there for the name of something that every object has", async () => {
    await login({});
    expect(await keyhole(["logout", "--profile", "toString"])).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no such profile") });
  });

  it("is not lost when several are saved at once", async () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const logins = await Promise.all(names.map((name) => login({}, "--profile", name)));
    expect(logins.map(({ code }) => code)).toEqual(names.map(() => 0));
    expect(await saved()).toEqual(names);
  });

  it("has a token for the address that it was saved for and no other, also in tokens.json", async () => {
    await login({});
    const config = join(home, ".config/keyhole/config.json");
    const other = await startFakeService(() => ({ json: {} }));
    const asked = vi.fn();
    other.answer = (request) => {
      asked(request.headers.authorization);
      return { status: 500, code: "internal" };
    };
    try {
      const text = readFileSync(config, "utf8");
      writeFileSync(config, text.replace(service.url, other.url));
      expect(await keyhole(["status"])).toMatchObject({ code: 1, stderr: expect.stringContaining("the token of profile default is gone") });
      writeFileSync(config, text);
      const named = await keyhole(["status"], { KEYHOLE_URL: other.url });
      expect(named).toMatchObject({ code: 2, stderr: expect.stringContaining("KEYHOLE_URL is not the address for which profile default has a token") });
      expect(await keyhole(["status"], { KEYHOLE_URL: `${service.url}/elsewhere` })).toMatchObject({ code: 2 });
      expect((await keyhole(["status"], { KEYHOLE_URL: `${service.url}/` })).code).toBe(0);
      expect(asked).not.toHaveBeenCalled();
    } finally {
      await other.stop();
    }
  });

  it("whose token was saved without its address is to be logged in to again, and then is as any other", async () => {
    await login({});
    const tokens = join(home, ".config/keyhole/tokens.json");
    writeFileSync(tokens, '{"default":"of-before"}');
    expect((await keyhole(["status"])).stderr).toContain("the token of profile default is gone");
    await login({});
    expect(JSON.parse(readFileSync(tokens, "utf8"))).toEqual({ [`default ${service.url}`]: "token" });
    await keyhole(["logout"]);
    expect(JSON.parse(readFileSync(tokens, "utf8"))).toEqual({});
  });

  it("is saved although a lock was left behind, and leaves none itself", async () => {
    const folder = join(home, ".config/keyhole");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "lock"), "");
    utimesSync(join(folder, "lock"), 0, 0);
    expect((await login({})).code).toBe(0);
    expect(readdirSync(folder).sort()).toEqual(["config.json", "tokens.json"]);
  });
});
