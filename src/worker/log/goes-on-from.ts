import type { LogKeys } from "../access/log-keys.ts";
import { type GenerationRow, selectGenerations } from "../audit/generations.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { readGeneration } from "./generation.ts";

/** Whether a stretch that begins with `firstSeq` is the next one after an event. Only a restore that was accepted leaves numbers out. */
export async function goesOnFrom({ db, logKeys }: { db: D1Database; logKeys: LogKeys }, org: string, to: number, firstSeq: number): Promise<boolean> {
  if (firstSeq === to + 1) return true;
  const [generations] = await runBatch(db, [selectGenerations(db, org)]);
  const payloads = await Promise.all(rowsOf<GenerationRow>(generations).map((row) => readGeneration(logKeys, row)));
  return payloads.some((payload) => payload?.org === org && payload.lost.last_seq + 1 === firstSeq);
}
