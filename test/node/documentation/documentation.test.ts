import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../../scripts/wrangler-config.ts";
import { checkTypes } from "./support/check-types.ts";
import { copyProject } from "./support/copy-project.ts";
import { DOCUMENTS } from "./support/documents.ts";
import { findProgram } from "./support/find-program.ts";
import { anchorsOf, linksOf } from "./support/links-of.ts";
import { openWorkplace } from "./support/open-workplace.ts";
import { type Block, readBlocks } from "./support/read-blocks.ts";
import { runDocument } from "./support/run-document.ts";

/** Every document that somebody reads to do something. */
const ALL_FILES = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "ARCHITECTURE.md", ...documentsIn("docs"), ...documentsIn("examples")];
/** Those that show something to be run. */
const FILES = ALL_FILES.filter((document) => blocksOf(document).length > 0);

function documentsIn(folder: string): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" });
  return names.filter((name) => name.endsWith(".md") && !name.includes("node_modules")).map((name) => `${folder}/${name}`);
}

function blocksOf(document: string): Block[] {
  return readBlocks(readFileSync(join(ROOT, document), "utf8"));
}

describe("what the documentation says", () => {
  it.for(Object.entries(DOCUMENTS))("works as it is written in %s", { timeout: 180_000 }, async ([document, { atLeast, tools, ...premises }], { skip }) => {
    const missing = ["bash", ...tools].filter((tool) => !findProgram(tool, process.env.PATH ?? ""));
    skip(missing.length > 0, `a reader has ${missing.join(" and ")}, and this machine has not`);
    const workplace = await openWorkplace();
    try {
      const { ran, problems } = await runDocument(blocksOf(document), premises, workplace);
      expect(problems.join("\n\n")).toBe("");
      expect(ran).toBeGreaterThanOrEqual(atLeast);
    } finally {
      await workplace.close();
    }
  });

  it("is in documents that all run", () => {
    expect(Object.keys(DOCUMENTS).toSorted()).toEqual(FILES.toSorted());
  });

  it("leads nowhere that is not there", () => {
    const broken = ALL_FILES.flatMap((document) =>
      linksOf(readFileSync(join(ROOT, document), "utf8"))
        .filter((link) => {
          const [path = "", anchor] = link.split("#");
          const target = path === "" ? document : join(dirname(document), path);
          if (!existsSync(join(ROOT, target))) return true;
          return anchor !== undefined && target.endsWith(".md") && !anchorsOf(readFileSync(join(ROOT, target), "utf8")).includes(anchor);
        })
        .map((link) => `${document}: ${link}`),
    );
    expect(broken).toEqual([]);
  });

  it("begins with a README that is read in one go", () => {
    expect(readFileSync(join(ROOT, "README.md"), "utf8").split("\n").length).toBeLessThanOrEqual(151);
  });

  it("needs no sed and no node -p", () => {
    const blocks = FILES.flatMap((document) => blocksOf(document).filter(({ notRun }) => notRun === undefined));
    expect(blocks.length).toBeGreaterThan(50);
    expect(blocks.filter(({ text }) => /\bsed\s|\bnode (-p|--print)\b/.test(text))).toEqual([]);
  });

  it("has the types of the client and of the service binding", () => {
    const project = mkdtempSync(join(tmpdir(), "keyhole-types-"));
    copyProject(project);
    const blocks = FILES.flatMap(blocksOf).filter(({ language }) => language === "ts");
    expect(blocks.length).toBeGreaterThanOrEqual(2);
    expect(
      checkTypes(
        project,
        blocks.map(({ text }) => text),
      ),
    ).toBe("");
    rmSync(project, { recursive: true });
  });
});
