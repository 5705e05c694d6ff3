import { BaseSequencer, type TestSpecification } from "vitest/node";

/** The files that take longest, the longest first: begun last, one of them would keep everybody waiting while a core has nothing to do. */
const LONGEST = [
  "/node/documentation/documentation.test.ts",
  "/node/model-one.test.ts",
  "/node/model-two.test.ts",
  "/node/kill.test.ts",
  "/node/start.test.ts",
  "/node/cli/transcripts.test.ts",
  "/faults/requests.test.ts",
  "/faults/scheduled.test.ts",
  "/fuzz/operations.test.ts",
  "/faults/archive.test.ts",
  "/audit/honest-logs.test.ts",
  "/audit/attacks.test.ts",
  "/audit/recorded-runs.test.ts",
  "/scope-stores/crashes.test.ts",
  "/leases/cost.test.ts",
  "/access/refusal-reasons.test.ts",
  "/model/model.test.ts",
];

function rank({ moduleId }: TestSpecification): number {
  const found = LONGEST.findIndex((name) => moduleId.endsWith(name));
  return found === -1 ? LONGEST.length : found;
}

/** Vitest's own order, which keeps the files of one project together, but in each project {@link LONGEST} first, also where no run before says how long they took. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const projects = [...new Set(sorted.map(({ project }) => project))];
    return sorted.toSorted((a, b) => projects.indexOf(a.project) - projects.indexOf(b.project) || rank(a) - rank(b));
  }
}
