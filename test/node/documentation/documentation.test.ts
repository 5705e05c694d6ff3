import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../../scripts/wrangler-config.ts";
import { checkTypes } from "./support/check-types.ts";
import { copyProject } from "./support/copy-project.ts";
import { DOCUMENTS, SKIPPED } from "./support/documents.ts";
import { findProgram } from "./support/find-program.ts";
import { openWorkplace } from "./support/open-workplace.ts";
import { type Block, readBlocks } from "./support/read-blocks.ts";
import { runDocument } from "./support/run-document.ts";

const GUIDES = readdirSync(join(ROOT, "docs")).filter((name) => name.endsWith(".md"));
const ALL_FILES = ["README.md", "SECURITY.md", ...GUIDES.map((name) => `docs/${name}`)];
/** Those that show something to be run. */
const FILES = ALL_FILES.filter((document) => blocksOf(document).length > 0);

function blocksOf(document: string): Block[] {
  return readBlocks(readFileSync(join(ROOT, document), "utf8"));
}

const isSkipped = (document: string, { section }: Block) => SKIPPED.some((one) => one.document === document && one.section === section);

describe("what the documentation says", () => {
  it.for(Object.entries(DOCUMENTS))("works as it is written in %s", { timeout: 180_000 }, async ([document, { atLeast, tools, ...premises }], { skip }) => {
    const missing = ["bash", ...tools].filter((tool) => !findProgram(tool, process.env.PATH ?? ""));
    skip(missing.length > 0, `a reader has ${missing.join(" and ")}, and this machine has not`);
    const workplace = await openWorkplace();
    try {
      const blocks = blocksOf(document).filter((block) => !isSkipped(document, block));
      const { ran, problems } = await runDocument(blocks, premises, workplace);
      expect(problems.join("\n\n")).toBe("");
      expect(ran).toBeGreaterThanOrEqual(atLeast);
    } finally {
      await workplace.close();
    }
  });

  it("is in documents that all run", () => {
    expect(Object.keys(DOCUMENTS).toSorted()).toEqual(FILES.toSorted());
  });

  it("is skipped only where there is something to skip", () => {
    for (const skipped of SKIPPED) expect(blocksOf(skipped.document).filter((block) => isSkipped(skipped.document, block))).not.toEqual([]);
  });

  it("needs no sed and no node -p", () => {
    const blocks = FILES.flatMap((document) => blocksOf(document).filter((block) => !isSkipped(document, block)));
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
