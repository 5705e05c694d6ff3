import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";
import { parseDocument } from "yaml";
import { parseTranscript } from "../../cli/support/transcript.ts";
import { executeSql } from "./execute-sql.ts";
import { matchesJson, matchesOutput } from "./matches-output.ts";
import type { Deployment } from "./open-deployment.ts";
import type { Workplace } from "./open-workplace.ts";
import type { Block } from "./read-blocks.ts";

/** What a document takes for granted, beside what is in its blocks. */
export interface Premises {
  /** Commands that run before the first block: what the reader has, or has done by another document. */
  readonly before?: string;
  /** Addresses in the document, and what is there: what `npm start` serves, what is deployed, or a Vault. */
  readonly addresses?: Readonly<Record<string, "local" | "deployed" | "vault">>;
}

/** What came of a document. */
export interface Report {
  /** How many blocks of commands and SQL ran. */
  readonly ran: number;
  /** Everything that was not as the document says. */
  readonly problems: readonly string[];
}

type Addresses = readonly (readonly [string, string])[];

/** Runs the blocks of a document in its order. */
export async function runDocument(blocks: readonly Block[], { before = "", addresses = {} }: Premises, workplace: Workplace): Promise<Report> {
  const places = Object.entries(addresses).map(([name, place]) => [name, workplace[place].url] as const);
  const unused = places.filter(([name]) => ![before, ...blocks.map(({ text }) => text)].some((text) => text.includes(name)));
  const problems = unused.map(([name]) => `no block has the address ${name}`);
  const run = blockRunner(workplace, places);
  const had: Block = { language: "sh", text: before, section: "what the reader has", isOutput: false };
  let [ran, output] = [0, ""];
  for (const block of before === "" ? blocks : [had, ...blocks]) {
    const done = await run(block, output).catch((error: Error): Done => ({ problems: [error.message] }));
    const found = [...done.problems, ...(await leftovers(workplace))];
    problems.push(...found.map((problem) => `${block.section}: ${problem}\n${block.text}`));
    if (done.output !== undefined && block !== had) ran++;
    output = done.output ?? "";
  }
  return { ran, problems };
}

/**
 * What no block looks at: calls that a stand-in does not know, whether each deployment is usable, and how the scheduled
 * run ends, which comes after each block as if a minute had gone by.
 */
async function leftovers({ unknown, local, deployed }: Workplace): Promise<string[]> {
  const problems = unknown.splice(0);
  for (const deployment of [local, deployed].filter((one) => one.isServed())) {
    const outcome = await deployment.served().runScheduled();
    if (outcome !== "ok") problems.push(`the scheduled run ended with ${outcome}`);
    const ready = await fetch(`${deployment.url}/readyz`);
    if (!ready.ok) problems.push(`it is not ready: ${await ready.text()}`);
    deployment.refused.length = 0;
  }
  return problems;
}

type Done = { readonly problems: readonly string[] /** Of commands and SQL. */; readonly output?: string };

function blockRunner(workplace: Workplace, places: Addresses): (block: Block, output: string) => Promise<Done> {
  const here = (text: string) => places.reduce((all, [name, url]) => all.replaceAll(name, url), text);
  const there = (text: string) => places.reduce((all, [name, url]) => all.replaceAll(url, name), text);
  return async ({ language, text, isOutput, notRun }, output) => {
    if (notRun !== undefined) return { problems: read(language, text) };
    switch (language) {
      case "sh": {
        const { stdout, stderr, failures } = await workplace.session.run(here(text));
        const problems = [...failures, ...refusedBy(workplace)];
        return { problems: problems.length > 0 ? [...problems, stdout + stderr] : [], output: there(stdout) };
      }
      case "console":
        return { problems: await runTranscript(workplace, here(text), there), output: "" };
      case "sql":
        return { problems: [], output: await executeSql(workplace.deployed.served(), text) };
      case "text":
        return { problems: isOutput ? differs(matchesOutput(text, output), output) : ["it is not the output of the block before it"] };
      case "json":
        return { problems: isOutput ? differs(matchesJson(JSON.parse(text), JSON.parse(output)), output) : JSON.parse(text) && [] };
      case "yaml":
        return { problems: readYaml(workplace.project, text) };
      case "toml":
        return { problems: parseToml(text) && [] };
      case "ts":
        return { problems: [] };
      default:
        return { problems: [`what is to be done with a block in ${language || "no language"}?`] };
    }
  };
}

/** What can be said of a block without running it: whether it is well-formed, where anything knows that. */
function read(language: string, text: string): string[] {
  switch (language) {
    case "sh": {
      const { status, stderr } = spawnSync("bash", ["-n"], { input: text, encoding: "utf8" });
      return status === 0 ? [] : [stderr];
    }
    case "json":
      return JSON.parse(text) && [];
    case "yaml":
      return parseDocument(text).errors.map(({ message }) => message);
    case "toml":
      return parseToml(text) && [];
    default:
      return [];
  }
}

function differs(isSame: boolean, output: string): string[] {
  return isSame ? [] : [`the commands printed something else:\n${output}`];
}

function refusedBy({ local, deployed }: Workplace): string[] {
  return [local, deployed].flatMap(({ refused }: Deployment) => refused.splice(0));
}

/** A transcript: `$ ` a command, then what it prints on both outputs. One that shows an error has to fail, any other one not. */
async function runTranscript(workplace: Workplace, text: string, there: (text: string) => string): Promise<string[]> {
  const problems: string[] = [];
  for (const { command, expected } of parseTranscript(`${text}\n`)) {
    const { stdout, failures } = await workplace.session.run(command, true);
    const refused = refusedBy(workplace);
    if (expected.startsWith("error: ") !== failures.length > 0) problems.push(`$ ${command}`, ...failures, ...refused);
    problems.push(...differs(matchesOutput(there(expected), there(stdout)), stdout));
  }
  return problems;
}

/** A block that begins with the name of a file is that file. */
function readYaml(folder: string, text: string): string[] {
  const [, file] = /^# (\S+\.ya?ml)\n/.exec(text) ?? [];
  if (file) writeFileSync(join(folder, file), `${text}\n`);
  return parseDocument(text).errors.map(({ message }) => message);
}
