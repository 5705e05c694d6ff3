import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { ROOT } from "../../scripts/wrangler-config.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}
interface Workflow {
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}
interface Job {
  readonly steps: readonly Step[];
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
}

const FOLDER = join(ROOT, ".github/workflows");
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { scripts: Record<string, string> };

describe.each(readdirSync(FOLDER))("%s", (name) => {
  const text = readFileSync(join(FOLDER, name), "utf8");
  const { permissions, jobs } = parse(text) as Workflow;
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  it("runs what others have written only at a commit that it names, with its version beside it", () => {
    const lines = text.split("\n").filter((line) => line.includes("uses:"));
    expect(lines).toHaveLength(steps.filter(({ uses }) => uses !== undefined).length);
    expect(lines.filter((line) => !/uses: [\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  it("may read and nothing else, unless a job says so, and leaves no token in the clone", () => {
    expect(permissions).toEqual({ contents: "read" });
    const clones = steps.filter(({ uses }) => uses?.startsWith("actions/checkout@"));
    expect(clones.filter((step) => step.with?.["persist-credentials"] !== false)).toEqual([]);
  });

  it("installs and runs nothing of others where the repository may be written", () => {
    const writers = Object.values(jobs).filter((job) => job.permissions?.contents === "write");
    const commands = writers.flatMap((job) => job.steps).flatMap(({ run = "" }) => run.match(/\b(?:npm|npx|node|go)\b/g) ?? []);
    expect(commands).toEqual([]);
  });

  it("ends, and has nothing that somebody else can set in a command", () => {
    expect(Object.values(jobs).filter((job) => job["timeout-minutes"] === undefined)).toEqual([]);
    expect(steps.filter(({ run }) => run?.includes("${{"))).toEqual([]);
  });

  it("runs scripts and files that there are", () => {
    const commands = steps.flatMap(({ run = "" }) => run.split("\n"));
    const named = commands.flatMap((line) => [...line.matchAll(/npm run ([\w:-]+)/g)].map(([, script = ""]) => script));
    expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
    const files = commands.flatMap((line) => line.match(/\b(?:test|bin|scripts)\/[\w./-]+/g) ?? []);
    expect(files.filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
  });
});

it("has dependabot look at every package that there is", () => {
  const { updates } = parse(readFileSync(join(ROOT, ".github/dependabot.yml"), "utf8")) as {
    updates: readonly { "package-ecosystem": string; directory?: string; directories?: readonly string[] }[];
  };
  const looked = updates
    .filter((one) => one["package-ecosystem"] === "npm")
    .flatMap(({ directory, directories = [] }) => (directory ? [directory] : directories));
  const there = ["", "test", ...readdirSync(join(ROOT, "scripts"), { encoding: "utf8" }).map((name) => `scripts/${name}`)];
  expect(looked.toSorted()).toEqual(
    there
      .filter((folder) => existsSync(join(ROOT, folder, "package-lock.json")))
      .map((folder) => `/${folder}`)
      .toSorted(),
  );
});
