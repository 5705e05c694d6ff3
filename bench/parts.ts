import { measureBesideWork } from "./beside-work.ts";
import { measureBulkRead } from "./bulk-read.ts";
import { countPerCall } from "./count-calls.ts";
import { measureDistance } from "./distance.ts";
import { measureLeases } from "./leases.ts";
import { measureCpu, measureStart } from "./measure-process.ts";
import { measureOwnTime } from "./own-time.ts";
import { plot } from "./plot.ts";
import { compareRatios, type Setup } from "./ratios.ts";
import {
  besideWorkSection,
  countSection,
  distanceSection,
  leaseSection,
  ownTimeSection,
  processSection,
  ratioSection,
  sizeSection,
  timingSection,
} from "./report.ts";
import { usesSection } from "./report-uses.ts";
import { vaultSection } from "./report-vault.ts";
import { measureSizes } from "./sizes.ts";
import { measureTiming } from "./timing.ts";
import { countUses, measureUses } from "./uses.ts";
import { countVaultReads, measureVaultReads } from "./vault-reads.ts";

/** What a part measured: paragraphs of the report, and a drawing (SVG) that they show. */
export interface Section {
  readonly paragraphs: readonly string[];
  readonly drawing?: string;
}

/** Measures a part. */
export type Measure = (setup: Setup, say: (text: string) => void) => Promise<Section>;

/** What can be measured by itself, by the name that chooses it, in the order of the report. Each starts the Workers that it needs. */
export const PARTS: ReadonlyMap<string, Measure> = new Map<string, Measure>([
  ["floor", async (setup, say) => ({ paragraphs: ratioSection(await compareRatios(setup, say), await measureBulkRead(setup)) })],
  ["leases", async (setup) => ({ paragraphs: leaseSection(await measureLeases(setup)) })],
  ["beside-work", async (setup) => ({ paragraphs: besideWorkSection(await measureBesideWork(setup)) })],
  ["own-time", async (setup) => ({ paragraphs: ownTimeSection(await measureOwnTime(setup)) })],
  ["calls", async (setup) => ({ paragraphs: countSection(await countPerCall(setup)) })],
  ["vault", async (setup) => ({ paragraphs: vaultSection(await measureVaultReads(setup), await countVaultReads(setup)) })],
  ["uses", async (setup) => ({ paragraphs: usesSection(await measureUses(setup), await countUses(setup)) })],
  ["sizes", measureBySize],
  ["distance", async (setup) => ({ paragraphs: distanceSection(await measureDistance(setup)) })],
  ["process", async (setup) => ({ paragraphs: processSection(setup, await measureCpu(setup), await measureStart(setup)) })],
  ["timing", async (setup) => ({ paragraphs: timingSection(await measureTiming(setup)) })],
]);

async function measureBySize(setup: Setup, say: (text: string) => void): Promise<Section> {
  const bySize = await measureSizes(setup, say);
  return { paragraphs: sizeSection(bySize), drawing: plot(bySize) };
}
