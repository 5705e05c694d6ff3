import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { parse } from "yaml";
import { ROOT } from "../../scripts/wrangler-config.ts";
import { type Client, createClient } from "../../src/client/create-client.ts";
import { buildKeyhole, startServer, tokenFor } from "./cli/support/start-keyhole.ts";

const ISSUER = "https://token.actions.githubusercontent.com";
const ORG = "action";

/** Values that try to end their lines in a file of the runner, or to be a command to it. */
const HOSTILE = {
  LINES: "first line\nsecond line\r\n  third line  \n",
  DELIMITER: "x\nEOF\nkeyhole_\nPATH<<EOF\n/evil\nEOF",
  ESCAPES: "100%0A::set-output name=a::b%25\n::stop-commands::x",
  SHORT: "ab",
  JSON_TEXT: '{\n  "key": "value"\n}',
  QUOTES: 'it\'s "quoted" $HOME `id` \\n #',
};

let server: Awaited<ReturnType<typeof startServer>>;
let built: ReturnType<typeof buildKeyhole>;
let identities: Server;
let client: Client;
let folder: string;
let sign: () => Promise<string>;
let jobs = 0;

beforeAll(async () => {
  built = buildKeyhole();
  server = await startServer();
  client = createClient({ baseUrl: server.url, token: await tokenFor(ORG) });
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const key = { ...(await exportJWK(publicKey)), kty: "RSA" as const, kid: "k1", alg: "RS256" };
  sign = () => {
    const token = new SignJWT({ repository: "acme/api", repository_owner: "acme", jti: `job-${++jobs}` });
    return token
      .setProtectedHeader({ alg: "RS256", kid: "k1" })
      .setIssuer(ISSUER)
      .setAudience(server.url)
      .setSubject("repo:acme/api")
      .setIssuedAt()
      .setExpirationTime("5m")
      .sign(privateKey);
  };
  await client.trusts.put("github", {
    ...{ issuer: ISSUER, audience: server.url, jwks: { keys: [key] }, claims: { repository_owner: "acme" } },
    ...{ permissions: ["secrets:resolve"], secret_scopes: ["repo:${repository}"] },
  });
  for (const [name, value] of Object.entries(HOSTILE)) await client.secrets.set("repo:acme/api", name, value);
  // The runner's endpoint, as GitHub describes it: the audience is a parameter, and the request has the runner's own token.
  identities = createServer(async ({ url, headers }, response) => {
    const { searchParams } = new URL(url ?? "/", "http://runner.test");
    const allowed = headers.authorization === "Bearer runner" && searchParams.get("audience") === server.url && searchParams.get("api-version") === "2.0";
    response.writeHead(allowed ? 200 : 403, { "Content-Type": "application/json" });
    response.end(JSON.stringify(allowed ? { count: 1, value: await sign() } : {}));
  });
  await new Promise<void>((resolve) => void identities.listen(0, "127.0.0.1", resolve));
}, 120_000);

afterAll(async () => {
  identities?.close();
  await server?.close();
  built?.remove();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keyhole-action-"));
  for (const name of ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE"]) writeFileSync(join(folder, name), "");
  return () => rmSync(folder, { recursive: true });
});

/** Runs one half of the action as the runner does: inputs and files by variables, and nothing else. */
async function runStep(half: "main" | "post", variables: Record<string, string>) {
  const files = Object.fromEntries(["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE"].map((name) => [name, join(folder, name)]));
  const { port } = identities.address() as AddressInfo;
  const identity = { ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/token?api-version=2.0`, ACTIONS_ID_TOKEN_REQUEST_TOKEN: "runner" };
  const env = { PATH: process.env.PATH ?? "", HOME: folder, ...files, ...(half === "main" && identity), ...variables };
  const child = spawn(process.execPath, [join(built.folder, `dist/action/${half}.mjs`)], { env, cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  const [code] = await once(child, "close");
  return { code: code as number, output };
}

const use = (inputs: Record<string, string> = {}) =>
  runStep("main", { INPUT_URL: server.url, INPUT_TRUST: `${ORG}/github`, INPUT_SCOPES: "repo:acme/api", ...inputs });

/** What the runner reads in one of its files: `NAME<<DELIMITER`, lines, `DELIMITER`. */
function readRunnerFile(name: string): Record<string, string> {
  const lines = readFileSync(join(folder, name), "utf8").split("\n");
  const found: Record<string, string> = {};
  for (let at = 0; at < lines.length - 1; at++) {
    const [, variable = "", delimiter] = /^([^=]+?)<<(.+)$/.exec(lines[at] ?? "") ?? [];
    const end = lines.indexOf(delimiter ?? "", at + 1);
    expect([lines[at], end]).toEqual([expect.stringMatching(/^\w+<<keyhole_[0-9a-f-]{36}$/), expect.any(Number)]);
    found[variable] = lines.slice(at + 1, end).join("\n");
    at = end;
  }
  return found;
}

/** The log as the runner shows it: commands are carried out, and what they mask is not shown. */
function shownLog(output: string): string {
  const masked = [...output.matchAll(/^::add-mask::(.*)$/gm)].map(([, text = ""]) =>
    text.replaceAll("%0A", "\n").replaceAll("%0D", "\r").replaceAll("%25", "%"),
  );
  expect(masked.length).toBeGreaterThan(0);
  let shown = output.replace(/^::add-mask::.*\n/gm, "");
  for (const text of masked) shown = shown.replaceAll(text, "***");
  return shown;
}

it("puts every value into the environment of the next steps, whatever is in it, and masks it with its lines", async () => {
  const { code, output } = await use();
  expect([code, output]).toEqual([0, expect.stringContaining("6 values")]);
  expect(readRunnerFile("GITHUB_ENV")).toEqual(HOSTILE);
  expect(readFileSync(join(folder, "GITHUB_OUTPUT"), "utf8")).toBe("");
  // A command in a value is no command.
  expect(output).not.toMatch(/^::(?!add-mask::)/m);
  for (const line of ["first line", "third line", '  "key": "value"', "/evil", "::stop-commands::x"]) expect(output).toContain(`::add-mask::${line}\n`);
  expect(shownLog(output)).not.toMatch(/eyJ|first line|evil/);
});

it("gives only the secrets that are named, as outputs", async () => {
  const { code } = await use({ INPUT_SECRETS: "SHORT, LINES", INPUT_INTO: "outputs" });
  expect(code).toBe(0);
  expect(readRunnerFile("GITHUB_OUTPUT")).toEqual({ SHORT: HOSTILE.SHORT, LINES: HOSTILE.LINES });
  expect(readFileSync(join(folder, "GITHUB_ENV"), "utf8")).toBe("");
});

it("writes a file that only its user may read, also in the place of one that others may", async () => {
  mkdirSync(join(folder, "app"));
  writeFileSync(join(folder, "app/.env"), "OLD=1", { mode: 0o644 });
  const { code, output } = await use({ INPUT_FILE: "app/.env" });
  expect(code).toBe(0);
  expect(statSync(join(folder, "app/.env")).mode & 0o777).toBe(0o600);
  const text = readFileSync(join(folder, "app/.env"), "utf8");
  expect(text).toMatch(/^SHORT='ab'$/m);
  expect(text).not.toContain("OLD");
  expect(output).toContain("::add-mask::/evil\n");
  // What no reader of such a file would read back is not in it, and the log says so.
  expect(output).toContain("::warning::left out: LINES (unwritable), QUOTES (unwritable)\n");
  expect(readFileSync(join(folder, "GITHUB_ENV"), "utf8")).toBe("");
});

it.each(["linked.env", "linked/.env", "linked/deeper/.env", "dangling/.env"])("writes no file where what was checked out leads elsewhere: %s", async (file) => {
  const elsewhere = join(folder, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, ".env"), "as it was");
  symlinkSync(elsewhere, join(folder, "linked"));
  symlinkSync(join(folder, "nowhere"), join(folder, "dangling"));
  symlinkSync(join(elsewhere, ".env"), join(folder, "linked.env"));
  const { code, output } = await use({ INPUT_FILE: file });
  expect([code, output]).toEqual([1, expect.stringMatching(/^::error::.*link/m)]);
  expect([readdirSync(elsewhere), readFileSync(join(elsewhere, ".env"), "utf8")]).toEqual([[".env"], "as it was"]);
  expect(readFileSync(join(folder, "GITHUB_STATE"), "utf8")).toBe("");
});

it("revokes its token after the job, also where the step has failed, and says so when it was over before", async () => {
  const failed = await use({ INPUT_SECRETS: "NOWHERE" });
  expect([failed.code, shownLog(failed.output)]).toEqual([1, expect.stringMatching(/^::error::.*NOWHERE/m)]);
  expect(readFileSync(join(folder, "GITHUB_ENV"), "utf8")).toBe("");
  const { url = "", token = "" } = readRunnerFile("GITHUB_STATE");
  const job = createClient({ baseUrl: url, token });
  expect((await job.whoami()).permissions).toEqual(["secrets:resolve"]);
  expect(await runStep("post", { STATE_url: url, STATE_token: token })).toEqual({ code: 0, output: "the job's token is revoked\n" });
  await expect(job.whoami()).rejects.toMatchObject({ code: "unauthenticated" });
  expect(await runStep("post", { STATE_url: url, STATE_token: token })).toEqual({ code: 0, output: "the job's token has ended already\n" });
  expect(await runStep("post", {})).toEqual({ code: 0, output: "" });
});

it.each([
  ["no address", { INPUT_URL: "" }, /^::error::the input url is missing/m],
  ["an address in the clear", { INPUT_URL: "http://keyhole.invalid" }, /^::error::http:\/\/keyhole.invalid is not https/m],
  ["no address that it is one", { INPUT_URL: "keyhole.invalid" }, /^::error::the input url is no address/m],
  ["no trust", { INPUT_TRUST: " " }, /^::error::the input trust is missing/m],
  ["a place that there is not", { INPUT_INTO: "log" }, /^::error::the input into is something else/m],
  ["a file and another place", { INPUT_INTO: "outputs", INPUT_FILE: ".env" }, /^::error::the inputs into and file do not fit/m],
  ["a job that may ask for no identity token", { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "other" }, /^::error::.*id-token: write/m],
  ["a trust that does not take the job", { INPUT_TRUST: `${ORG}/other` }, /^::error::.*exchange|^::error::.*invalid_request/m],
])("fails, and hands over nothing, with %s", async (_, inputs, says) => {
  const { code, output } = await use(inputs);
  expect([code, output]).toEqual([1, expect.stringMatching(says)]);
  for (const name of ["GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STATE"]) expect(readFileSync(join(folder, name), "utf8")).toBe("");
});

it("names in action.yml files that the build makes, and the inputs that are read", () => {
  const { runs, inputs } = parse(readFileSync(join(ROOT, "action.yml"), "utf8")) as { runs: Record<string, string>; inputs: Record<string, object> };
  expect([runs.main, runs.post].map((path) => existsSync(join(built.folder, path ?? "")))).toEqual([true, true]);
  expect(runs["post-if"]).toBe("always()");
  const read = readFileSync(join(ROOT, "src/action/inputs.ts"), "utf8").matchAll(/(?:input|needed|words)\("(\w+)"\)/g);
  expect(new Set([...read].map(([, name]) => name))).toEqual(new Set(Object.keys(inputs)));
});
