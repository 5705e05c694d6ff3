import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSession } from "./support/open-session.ts";
import { openWorkplace, type Workplace } from "./support/open-workplace.ts";
import { readBlocks } from "./support/read-blocks.ts";
import { type Premises, type Report, runDocument } from "./support/run-document.ts";

let workplace: Workplace;
beforeAll(async () => {
  workplace = await openWorkplace();
});
afterAll(() => workplace?.close());

function fenced(...blocks: readonly [language: string, text: string][]): string {
  return blocks.map(([language, text]) => `\`\`\`${language}\n${text}\n\`\`\`\n`).join("\n");
}

function run(markdown: string, premises: Premises = {}): Promise<Report> {
  return runDocument(readBlocks(markdown), premises, workplace);
}

describe("a document that works", () => {
  it("runs in one shell, in order, with standard input empty and what the reader has in place", async () => {
    const blocks = fenced(["sh", "export A=1\ncd /\ncat"], ["sh", 'echo "$A $B $PWD"'], ["text", "1 2 /"], ["sh", `cd "${workplace.project}"`]);
    expect(await run(blocks, { before: "B=2" })).toEqual({ ran: 3, problems: [] });
  });

  it("shows what is printed, with … for what differs from run to run", async () => {
    const json = `echo '{"id":"sec_1f0c","list":[{"n":1}],"any":[]}'`;
    expect(
      await run(fenced(["sh", "echo id sec_1f0c; echo 2"], ["text", "id sec_…\n2"], ["sh", json], ["json", '{"any":"…","list":[{"n":1}],"id":"sec_…"}'])),
    ).toEqual({
      ran: 2,
      problems: [],
    });
  });

  it("may show a command that fails, with its error", async () => {
    expect(await run(fenced(["console", "$ ls x 2> /dev/null || { echo error: gone >&2; false; }\nerror: gone\n\n$ echo 1\n1"]))).toMatchObject({
      problems: [],
    });
  });

  it("finds blocks in lists and quotations, with the heading that they are under", () => {
    const blocks = readBlocks("# One\n1. first\n\n   ```sh\n   a\n   ```\n\n## Two `x`\n> ```json\n> {}\n> ```\n\n```sh\nb\n```\nwords\n```text\nc\n```\n");
    expect(blocks.map(({ language, text, section, isOutput }) => [language, text, section, isOutput])).toEqual([
      ["sh", "a", "One", false],
      ["json", "{}", "Two `x`", false],
      ["sh", "b", "Two `x`", false],
      ["text", "c", "Two `x`", false],
    ]);
  });

  it("runs no block that says why not, nor takes what it shows for output, but reads it", async () => {
    const remark = "<!-- not run: it asks for a password -->\n";
    expect(await run(`${remark}${fenced(["sh", "exit 3"], ["text", "three"], ["sh", "true"])}`)).toEqual({ ran: 1, problems: [] });
    expect((await run(`${remark}${fenced(["sh", "if true; then"])}`)).problems).toEqual([expect.stringContaining("syntax error")]);
  });

  it.each([
    ["of no block", "<!-- not run: it asks for a password -->\n\nwords\n\n```sh\na\n```\n", "no block follows"],
    ["at the end", "words\n\n<!-- not run: it asks for a password -->\n", "no block follows"],
    ["without a reason", "<!-- not run -->\n```sh\na\n```\n", "with a reason"],
    ["with half a reason", "<!-- not run: slow -->\n```sh\na\n```\n", "with a reason"],
  ])("may not say that something does not run %s", (_, markdown, message) => {
    expect(() => readBlocks(markdown)).toThrow(message);
  });

  it("can put secrets from JSON and from .env files, and ask for tests without running them", async () => {
    writeFileSync(join(workplace.project, "s.json"), '{"A":"1"}');
    writeFileSync(join(workplace.project, "s.env"), "A='1'\n");
    const before = workplace.testsAsked();
    const commands =
      "npx wrangler secret bulk s.json\nnpx wrangler secret bulk s.env\nnpx wrangler secret bulk < s.json\necho 1 | npx wrangler secret put A\nnpm test";
    expect(await run(fenced(["sh", commands]))).toEqual({ ran: 1, problems: [] });
    expect(workplace.testsAsked()).toBe(before + 1);
  });
});

describe("a document fails", () => {
  const request = "node -e 'await fetch(process.argv[1])' http://keyhole.example/v1/secrets";
  it.each<[string, string, string, Premises?]>([
    ["a command fails", fenced(["sh", "true\nfalse\ntrue"]), "line 2: false: exit code 1"],
    ["a command fails on the left of a pipe", fenced(["sh", "false | cat"]), "exit code 1"],
    ["a command fails whose output becomes a variable", fenced(["sh", "export A=$(false)"]), "line 1: false: exit code 1"],
    ["there is no such command", fenced(["sh", "keyhloe list"]), "exit code 127"],
    [
      "a request is refused, whatever the command makes of it",
      fenced(["sh", request]),
      "GET /v1/secrets: 502",
      { addresses: { "http://keyhole.example": "local" } },
    ],
    ["something else is printed", fenced(["sh", "echo 12"], ["text", "1"]), "something else:\n12"],
    ["JSON has another member", fenced(["sh", 'echo \'{"a":1,"b":2}\''], ["json", '{"a":1}']), "something else"],
    ["no JSON is printed where it is shown", fenced(["sh", "echo a"], ["json", "{}"]), "not valid JSON"],
    ["a transcript prints something else", fenced(["console", "$ echo 2\n1"]), "something else:\n2"],
    ["a command of a transcript fails without an error", fenced(["console", "$ false"]), "exit code 1"],
    ["a command of a transcript should fail", fenced(["console", "$ echo error: x\nerror: x"]), "$ echo error: x"],
    ["output is shown of nothing", fenced(["text", "1"]), "not the output of the block before it"],
    ["SQL comes before there is a database", fenced(["sql", "SELECT 1"]), "nothing is deployed yet"],
    ["a block has no language", "```\nls\n```", "no language"],
    ["a block has a language that nobody runs", fenced(["ruby", "1"]), "a block in ruby"],
    ["JSON is none", fenced(["json", "{"]), "JSON"],
    ["YAML is none", fenced(["yaml", "a: [1"]), "[1"],
    ["TOML is none", fenced(["toml", "a ="]), "Invalid TOML"],
    ["what the reader has is not to be had", "", "what the reader has: line 1", { before: "false" }],
    ["an address is not in it", fenced(["sh", "true"]), "no block has the address http://x", { addresses: { "http://x": "local" } }],
    ["wrangler has no such option, also where that is hidden", fenced(["sh", "npx wrangler deploy --force || true"]), "Unknown option '--force'"],
    ["wrangler has no such command", fenced(["sh", "npx wrangler secret bulks s.json || true"]), "no such command"],
    ["wrangler gets too much", fenced(["sh", "npx wrangler login now || true"]), "it has 1 arguments"],
    ["the database is one on this machine", fenced(["sh", "npx wrangler d1 execute DB --command 'SELECT 1' || true"]), "the database is DB, and --remote"],
    ["a file of secrets has none", fenced(["sh", "npx wrangler secret bulk /dev/null || true"]), "no secrets in the file"],
    ["npm has no such command", fenced(["sh", "npm install left-pad || true"]), "the stand-in for npm has no such command"],
    ["npx has no such program", fenced(["sh", "npx cowsay || true"]), "the stand-in for npx has no such program"],
  ])("when %s", async (_, markdown, problem, premises) => {
    expect((await run(markdown, premises)).problems.join("\n")).toContain(problem);
  });

  it("when a command does not end", async () => {
    const folder = mkdtempSync(join(tmpdir(), "keyhole-session-"));
    const session = openSession(folder, { cwd: folder, env: { PATH: process.env.PATH ?? "" }, limit: 200 });
    expect(await session.run("tail -f /dev/null")).toMatchObject({ failures: ["the shell ended"] });
    await session.close();
    rmSync(folder, { recursive: true });
  });

  it("when what is deployed is not usable", async () => {
    const other = await openWorkplace();
    const { problems } = await runDocument(readBlocks(fenced(["sh", "npx wrangler deploy"])), {}, other);
    await other.close();
    expect(problems.join("\n")).toMatch(/it is not ready: .*keyring/);
  });

  it("when the shell ends", async () => {
    const other = await openWorkplace();
    const { problems } = await runDocument(readBlocks(fenced(["sh", "exit 0"], ["sh", "true"])), {}, other);
    await other.close();
    expect(problems.filter((problem) => problem.includes("the shell ended"))).toHaveLength(2);
  });
});
