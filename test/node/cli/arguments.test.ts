import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FakeService, startFakeService } from "./support/fake-service.ts";
import { type Outcome, runProgram } from "./support/run-program.ts";
import { buildKeyhole } from "./support/start-keyhole.ts";

let service: FakeService;
let cli: ReturnType<typeof buildKeyhole>;
const asked: { url: string | undefined; body: string }[] = [];

beforeAll(async () => {
  cli = buildKeyhole();
  service = await startFakeService(({ url }, body) => {
    asked.push({ url, body });
    return { json: {} };
  });
});

beforeEach(() => void asked.splice(0));

afterAll(async () => {
  await service?.stop();
  cli?.remove();
});

/** Runs keyhole with words that hold no spaces of their own; `''` is an empty one. */
function keyhole(line: string, token = "token"): Promise<Outcome> {
  const args = line.split(" ").map((word) => word.replaceAll("''", ""));
  return runProgram(cli.path, args, { env: { HOME: cli.folder, KEYHOLE_URL: service.url, KEYHOLE_TOKEN: token, SOURCE: "value" } });
}

describe("what the command line says wrong", () => {
  it.each([
    ["--scope is given twice", "delete X --scope a --scope b --yes"],
    ["--scope is given twice", "get X -s a -s global"],
    ["--scope is given twice", "list -sa --scope=global"],
    ["--locked and --no-locked do not go together", "set A --scope global --locked --no-locked"],
    ["--scope needs a value", "set --scope"],
    ["--scope needs a value", "list --scope --json"],
    ["--limit stands before the command that it is for", "audit --limit 3 verify"],
    ["there is no option --scop", "list --scop x"],
    ["there is no command keyhole audit verfy", "audit verfy"],
    ["the scope is not named", "set A --env-var SOURCE"],
  ])("%s: `%s` asks nothing and exits with 2", async (error, line) => {
    const { code, stdout, stderr } = await keyhole(line);
    const said = line.includes("--json") ? JSON.parse(stderr).error.message : stderr.split("\n")[0]?.replace("error: ", "");
    expect({ code, stdout, said, asked }).toEqual({ code: 2, stdout: "", said: error, asked: [] });
  });

  it("is answered with what may have been meant, and as a line of JSON with --json", async () => {
    expect((await keyhole("list --kind tem")).stderr).toContain("did you mean team?");
    expect((await keyhole("ls --scop x")).stderr).toContain("did you mean --scope?");
    const { stdout, stderr } = await keyhole("get A --scope nowhere --json");
    expect({ stdout, end: stderr.at(-1) }).toEqual({ stdout: "", end: "\n" });
    expect(JSON.parse(stderr)).toEqual({ error: { message: "that is not a scope", hint: expect.any(String), exit_code: 2 } });
  });

  it("holds nothing that could be a value", async () => {
    for (const line of [
      "set A sk-typed",
      "set A --token=sk-typed",
      "list --kind sk-typed",
      "login https://a.example sk-typed",
      "get A --sk=sk-typed",
      "list -xsk-typed",
    ])
      expect((await keyhole(line)).stderr).not.toContain("sk-typed");
  });
});

describe("a limit that is given but empty", () => {
  it.each([
    ["--scopes", "token create ci --permissions secrets:resolve --scopes ''"],
    ["--names", "token create ci --permissions secrets:resolve --names ,"],
    ["--permissions", "token create ci --permissions ''"],
    ["--scopes", "trust put ci --issuer https://issuer.example --claim sub=a --permissions secrets:resolve --scopes ''"],
    ["--only", "run --only '' -- true"],
    ["--scope", "run --scope '' -- true"],
    ["--only", "resolve --only ''"],
    ["--scope", "resolve A --scope ''"],
    ["--scope", "explain A --scope ''"],
  ])("is refused and not taken for no limit: %s in `%s`", async (option, line) => {
    const { code, stdout, stderr } = await keyhole(line);
    expect({ code, stdout, error: stderr.split("\n")[0], asked }).toEqual({ code: 2, stdout: "", error: `error: ${option} is empty`, asked: [] });
  });
});

describe("a duration or a time that there is not", () => {
  it.each([
    ["--expires is too long", "set A --scope global --env-var SOURCE --expires 999999999w"],
    ["--expires is not a time", "set A --scope global --env-var SOURCE --expires 2027-02-30"],
    ["--expires is not a time", "set A --scope global --env-var SOURCE --expires 2027-02-29T12:00:00Z"],
    ["--expires is not a time", "set A --scope global --env-var SOURCE --expires 2027-00-10"],
    ["--since is too long", "audit --since 999999999w"],
    ["--interval is too long", "audit --follow --interval 25d"],
  ])("is refused: %s in `%s`", async (error, line) => {
    const { code, stderr } = await keyhole(line);
    expect({ code, error: stderr.split("\n")[0], asked }).toEqual({ code: 2, error: `error: ${error}`, asked: [] });
  });

  it("is not February 29 in a leap year", async () => {
    await keyhole("set A --scope global --env-var SOURCE --expires 2028-02-29");
    expect(asked.map(({ body }) => JSON.parse(body).expires_at)).toEqual(["2028-02-29T00:00:00.000Z"]);
  });
});

it.each([
  ["a line end", "two\nlines"],
  ["a letter that no header has", "tok\u2026en"],
  ["a blank", "Bearer token"],
])("a KEYHOLE_TOKEN with %s in it is said to be none, and not the service to be down", async (_, token) => {
  const { code, stderr } = await keyhole("list", token);
  expect({ code, error: stderr.split("\n")[0], asked }).toEqual({ code: 2, error: "error: KEYHOLE_TOKEN is not a token", asked: [] });
});

it("a label and a claim may hold commas", async () => {
  await keyhole("set A --scope global --env-var SOURCE --label note=a,b --label team=c");
  await keyhole("trust put ci --issuer https://issuer.example --claim sub=a,b --claim ref=c --permissions secrets:resolve");
  expect(asked.map(({ body }) => JSON.parse(body))).toMatchObject([{ labels: { note: "a,b", team: "c" } }, { claims: { sub: "a,b", ref: "c" } }]);
});

it("--allow-missing is refused where there is one value to print, and not ignored", async () => {
  const { code, stderr } = await keyhole("resolve A --allow-missing");
  expect({ code, stderr, asked }).toMatchObject({ code: 2, stderr: expect.stringContaining("--allow-missing"), asked: [] });
  await keyhole("resolve A --allow-missing --format env");
  expect(asked.map(({ body }) => JSON.parse(body).allow_missing)).toEqual([true]);
});
