import type { AuditEvent, Checkpoint } from "../../contract/audit.ts";
import type { StretchRows } from "../audit/stretches.ts";
import type { Budget } from "../transaction/work-in-batches.ts";
import { checkpointBody, eventBody } from "./event-body.ts";

/** A sealed stretch with its events, as replies show them. */
export interface Stretch {
  readonly checkpoint: Checkpoint;
  readonly events: readonly AuditEvent[];
}

/** Stretches as replies show them. */
export function stretchBody({ checkpoint, events }: StretchRows): Stretch {
  return { checkpoint: checkpointBody(checkpoint), events: events.map(eventBody) };
}

/** Stretches as newline-delimited JSON: of each its checkpoint, then its events, as exports have both. Before each of them others have their turn. */
export async function writeArchive(stretches: readonly Stretch[], budget?: Budget): Promise<string> {
  const written: string[] = [];
  for (const { checkpoint, events } of stretches) {
    await budget?.work.turn();
    written.push([checkpoint, ...events].map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
  return written.join("");
}

/** The stretches that {@link writeArchive} wrote. What is opened with an archive's own key is nobody else's: it is taken as it is. */
export function readArchive(text: string): Stretch[] {
  const stretches: { checkpoint: Checkpoint; events: AuditEvent[] }[] = [];
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const read = JSON.parse(line) as Checkpoint | AuditEvent;
    if ("jws" in read) stretches.push({ checkpoint: read, events: [] });
    else stretches.at(-1)?.events.push(read);
  }
  return stretches;
}
