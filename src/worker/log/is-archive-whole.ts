import { Problem } from "../../contract/problem.ts";
import { type ArchiveRow, selectArchive } from "../audit/archives.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { type OpenNeeds, openArchive } from "./open-archive.ts";

/** Whether an archived part of a log can be read as it was put there, or there is none with that number any more. */
export async function isArchiveWhole(needs: OpenNeeds & { readonly db: D1Database }, org: string, number: number): Promise<boolean> {
  const [found] = await runBatch(needs.db, [selectArchive(needs.db, org, number)]);
  const [row] = rowsOf<ArchiveRow>(found);
  if (!row) return true;
  try {
    await openArchive(needs, row);
    return true;
  } catch (error) {
    // What cannot be read now is not known to be well.
    if (error instanceof Problem) return false;
    throw error;
  }
}
