import { spawnSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { join } from "node:path";
import { type IPty, spawn } from "@lydell/node-pty";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ACCESS_TOKEN_TYPE } from "../../../src/contract/trust.ts";
import { type FakeService, startFakeService } from "./support/fake-service.ts";
import { runProgram } from "./support/run-program.ts";
import { SECRET_REPLY } from "./support/secret-reply.ts";
import { buildKeyhole } from "./support/start-keyhole.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what a terminal is sent.
const CONTROL = /\x1b\[[\d;?]*[A-Za-z]/g;
const VALUE = "typed-Value-7";

let service: FakeService;
let cli: ReturnType<typeof buildKeyhole>;
const bodies: string[] = [];
const CALLER = { org: "acme", sub: "ada", token_id: null, secret_scopes: null, secret_names: null, services: null, expires_at: null, lease_seconds: 0 };

beforeAll(async () => {
  cli = buildKeyhole();
  service = await startFakeService(({ method }, body) => {
    if (method === "POST") return { json: { API_KEY: VALUE } };
    bodies.push(body);
    return { json: SECRET_REPLY };
  });
});

afterAll(async () => {
  await service?.stop();
  cli?.remove();
});

function openTerminal(args: string[], home = cli.folder): IPty {
  const env = { PATH: process.env.PATH ?? "", HOME: home, TERM: "xterm", NO_COLOR: "1", KEYHOLE_URL: service.url, KEYHOLE_TOKEN: "token" };
  return spawn(cli.path, args, { cols: 200, rows: 30, env });
}

/** Runs a command on a terminal of its own; types each text when what it waits for has appeared. */
function onTerminal(
  args: string[],
  typing: readonly (readonly [waitFor: string, text: string])[],
  home = cli.folder,
): Promise<{ code: number; screen: string }> {
  return new Promise((resolve) => {
    const terminal = openTerminal(args, home);
    const left = [...typing];
    let screen = "";
    terminal.onData((data) => {
      screen += data;
      const [waitFor, text] = left[0] ?? [];
      if (waitFor === undefined || text === undefined || !screen.includes(waitFor)) return;
      left.shift();
      terminal.write(text);
    });
    terminal.onExit(({ exitCode }) => resolve({ code: exitCode, screen }));
  });
}

it("asks for a value and shows a bullet for each letter of it, and nothing else", async () => {
  bodies.length = 0;
  const { code, screen } = await onTerminal(["set", "API_KEY", "--scope", "global"], [["Value of API_KEY in global", `${VALUE}\r`]]);
  expect({ code, bodies }).toEqual({ code: 0, bodies: [JSON.stringify({ value: VALUE, encoding: "utf8" })] });
  expect(screen).toContain("Set API_KEY in global, version 1.");
  const shown = screen.slice(screen.indexOf("Value of API_KEY")).replaceAll(CONTROL, "").replaceAll("Value of API_KEY", "").replaceAll("version 1", "");
  for (const part of ["7", "V", "ped"]) expect(shown).not.toContain(part);
  expect(shown).toContain("•".repeat(VALUE.length));
});

it("sets nothing when the question is cancelled", async () => {
  bodies.length = 0;
  const { code, screen } = await onTerminal(["set", "API_KEY", "--scope", "global"], [["Value of API_KEY in global", "abc\x03"]]);
  expect({ code, bodies }).toEqual({ code: 130, bodies: [] });
  expect(screen).toContain("cancelled, nothing was changed");
});

it.each([
  ["set", ["set", "API_KEY", "--scope", "global"], "Value of API_KEY"],
  ["delete", ["delete", "API_KEY"], "with all its versions?"],
  ["login", ["login"], "Address of the deployment"],
])("does nothing when the question of %s is ended with Ctrl-D, and shows the cursor again", async (_, args, question) => {
  bodies.length = 0;
  const { code, screen } = await onTerminal(args, [[question, "\x04"]]);
  expect({ code, bodies }).toEqual({ code: 130, bodies: [] });
  expect(screen).toContain("cancelled, nothing was changed");
  expect(screen.lastIndexOf("\x1b[?25h")).toBeGreaterThan(screen.lastIndexOf("\x1b[?25l"));
});

it.each([
  ["several lines", "first\rsecond\rthird\r"],
  ["several lines", "first\nsecond\nthird\r"],
  ["several lines", `first\r${"second".repeat(2000)}\r`],
  ["a tab", "one\ttwo\r"],
])("refuses a pasted value with %s, of which it would keep a part, and shows none of it", async (what, pasted) => {
  bodies.length = 0;
  const { code, screen } = await onTerminal(["set", "API_KEY", "--scope", "global"], [["Value of API_KEY", pasted]]);
  expect({ code, bodies }).toEqual({ code: 2, bodies: [] });
  expect(screen).toContain(`the value has ${what}`);
  for (const part of ["first", "second", "two"]) expect(screen).not.toContain(part);
});

it("takes a pasted line with its line end as a line", async () => {
  bodies.length = 0;
  const { code } = await onTerminal(["set", "API_KEY", "--scope", "global"], [["Value of API_KEY", `${VALUE}\r\n`]]);
  expect({ code, bodies }).toEqual({ code: 0, bodies: [JSON.stringify({ value: VALUE, encoding: "utf8" })] });
});

it("asks before it deletes, and does not when the answer is no", async () => {
  bodies.length = 0;
  const { code } = await onTerminal(["delete", "API_KEY"], [["with all its versions?", "\r"]]);
  expect({ code, bodies }).toEqual({ code: 130, bodies: [] });
});

it("gives the terminal to the command that it runs, and one Ctrl-C is one", async () => {
  const { code, screen } = await onTerminal(
    ["run", "--", process.execPath, join(import.meta.dirname, "support/child.mjs")],
    [
      ["ready, on a terminal", "\x03"],
      ["caught SIGINT", "hello\r"],
    ],
  );
  expect({ code, caught: screen.match(/caught/g) }).toEqual({ code: 5, caught: ["caught"] });
  expect(screen).toContain(`read hello with ${VALUE}`);
});

it("ends the token of a command that Ctrl-C ended, also when a second one comes meanwhile", async () => {
  const claims = Buffer.from(JSON.stringify({ jti: "tok_1" })).toString("base64url");
  const narrower = { access_token: `e30.${claims}.c2ln`, issued_token_type: ACCESS_TOKEN_TYPE, token_type: "Bearer", expires_in: 60, scope: "secrets:use" };
  const asked: string[] = [];
  const before = service.answer;
  const terminal = openTerminal(["run", "--use", "api", "--", process.execPath, "-e", "console.log('it runs'); setInterval(() => {}, 1_000)"]);
  let screen = "";
  let twice: () => void = () => undefined;
  const secondOne = new Promise<void>((resolve) => (twice = resolve));
  service.answer = async ({ method, url }) => {
    asked.push(`${method} ${url}`);
    if (method === "GET") return { json: { name: "api", preset: null, allow: [{ methods: ["GET"], paths: ["/x"] }], builtin: false } };
    if (method === "POST") return { json: narrower };
    terminal.write("\x03");
    // The terminal shows it when it has sent the signal.
    await secondOne;
    return { status: 204 };
  };
  terminal.onData((data) => {
    if (!screen.includes("it runs") && (screen + data).includes("it runs")) terminal.write("\x03");
    screen += data;
    if (screen.split("^C").length > 2) twice();
  });
  const { exitCode, signal } = await new Promise<{ exitCode: number; signal?: number | undefined }>((resolve) => terminal.onExit(resolve));
  service.answer = before;
  expect({ exitCode, signal, asked }).toEqual({ exitCode: 130, signal: 0, asked: ["GET /v1/services/api", "POST /oauth/token", "DELETE /v1/tokens/tok_1"] });
  expect(screen).not.toContain("could not be revoked");
});

it("waits for the browser whatever else asks at its address", async () => {
  // No browser is there to be opened.
  const path = join(cli.folder, "only-node");
  mkdirSync(path);
  symlinkSync(process.execPath, join(path, "node"));
  const terminal = spawn(cli.path, ["login", service.url], { cols: 1000, env: { PATH: path, HOME: cli.folder, TERM: "xterm" } });
  let screen = "";
  const address = new Promise<URL>((resolve) =>
    terminal.onData((data) => {
      screen += data;
      const [shown] = /http:\S+\/oauth\/authorize\?\S+(?=\s)/.exec(screen) ?? [];
      if (shown !== undefined) resolve(new URL(shown));
    }),
  );
  const ended = new Promise<number>((resolve) => terminal.onExit(({ exitCode }) => resolve(exitCode)));
  const { searchParams } = await address;
  const callback = new URL(searchParams.get("redirect_uri") ?? "");
  const stray = await new Promise<IncomingMessage>((resolve, reject) => get({ port: callback.port, path: "//" }, resolve).on("error", reject));
  expect(stray.resume().statusCode).toBe(404);
  callback.search = new URLSearchParams({ error: "access_denied", state: searchParams.get("state") ?? "", iss: service.url }).toString();
  expect((await fetch(callback)).status).toBe(200);
  expect(await ended).toBe(4);
  expect(screen).toContain("the login was refused in the browser");
});

describe("keyhole push", () => {
  const home = () => join(cli.folder, "pushing");
  // A name that would command the terminal is spelled out, in questions too.
  const api = () => join(home(), "a\u0007pi");
  const asked: string[] = [];

  beforeAll(async () => {
    mkdirSync(api(), { recursive: true });
    const env = { PATH: process.env.PATH ?? "", HOME: home(), KEYHOLE_LOCAL_STORE: "file" };
    const set = (...more: string[]) => runProgram(cli.path, ["set", "API_KEY", "--local", "--stdin", ...more], { env, stdin: VALUE });
    expect([(await set("--scope", "repo:~/a\u0007pi")).code, spawnSync("git", ["init", "-q", api()]).status]).toEqual([0, 0]);
    spawnSync("git", ["-C", api(), "remote", "add", "origin", "git@git.example:acme/api.git"]);
    const before = service.answer;
    service.answer = ({ method, url = "" }, body) => {
      if (method !== "GET") asked.push(`${method} ${url.split("?")[0]}`);
      if (url.startsWith("/v1/whoami")) return { json: { ...CALLER, permissions: ["secrets:write"] } };
      return url.startsWith("/v1/import") ? { json: { created: ["API_KEY"], updated: [], unchanged: [] } } : before({ method, url } as never, body);
    };
    return () => {
      service.answer = before;
    };
  });

  it("suggests where a folder's git repository comes from, shows what would happen, and asks", async () => {
    const { code, screen } = await onTerminal(
      ["push"],
      [
        ["Which repository of the deployment is repo:~/a\\u{7}pi?", "\r"],
        ["Write 1 secret to", "y"],
      ],
      home(),
    );
    expect({ code, asked }).toEqual({ code: 0, asked: ["POST /v1/import", "PUT /v1/scopes/repo%3Aacme%2Fapi/secrets/API_KEY"] });
    expect(screen).toMatch(/API_KEY +repo:~\/a\\u\{7\}pi +repo:acme\/api +created/);
    expect(screen).not.toContain(VALUE);
    expect(screen).not.toContain("\u0007");
  });

  it("writes nothing when that is not confirmed", async () => {
    asked.length = 0;
    const { code } = await onTerminal(["push", "--as", "repo:acme/api"], [["Write 1 secret to", "n"]], home());
    expect({ code, asked }).toEqual({ code: 130, asked: ["POST /v1/import"] });
  });
});
