import type { CheckpointRow } from "../audit/checkpoints.ts";
import type { EventRow } from "../audit/read-events.ts";
import { pairStretches, type StretchRows, selectStretches } from "../audit/stretches.ts";
import { rowsOf, runBatch } from "../store/run-batch.ts";
import { ARCHIVED_CHECKPOINTS } from "./archive-needs.ts";

/** About how many events one read has: requests wait for it. */
const EVENTS = 500;

/** The stretches of a log after a checkpoint, up to one, in some reads that follow each other. Each sees what D1 has at its own time. */
export async function* readStretches(
  db: D1Database,
  place: { readonly org: string; readonly after: number; readonly to: number },
): AsyncGenerator<readonly StretchRows[]> {
  const { org, to } = place;
  for (let after = place.after; after < to; ) {
    const query = { org, after, to, checkpoints: ARCHIVED_CHECKPOINTS, events: EVENTS };
    const [checkpoints, events] = await runBatch(db, selectStretches(db, query));
    const stretches = pairStretches(rowsOf<CheckpointRow>(checkpoints), rowsOf<EventRow>(events), query.events);
    const last = stretches.at(-1);
    if (!last) return;
    yield stretches;
    after = last.checkpoint.number;
  }
}
