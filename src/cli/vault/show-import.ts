import { EXIT, type ExitCode } from "../exit-code.ts";
import { endProgress, note, printJson } from "../output.ts";
import { printTable } from "../print-table.ts";
import type { KeyState, MovedObject } from "./move-object.ts";

/** How it is shown. */
export interface Showing {
  readonly dryRun: boolean;
  readonly overwrite: boolean;
  readonly json: boolean | undefined;
}

/** Runs an import and shows what became of each path and key, also where it fails half-way. */
export async function showImport(how: Showing, run: (take: (moved: MovedObject) => void) => Promise<void>): Promise<ExitCode> {
  const objects: MovedObject[] = [];
  try {
    await run((moved) => void objects.push(moved));
  } finally {
    endProgress();
    objects.sort((a, b) => (a.path < b.path ? -1 : 1));
    if (objects.length > 0) show(how, objects);
  }
  return objects.some(({ state }) => state === "cannot" || state === "different") ? EXIT.failed : EXIT.ok;
}

function show({ dryRun, overwrite, json }: Showing, objects: readonly MovedObject[]): void {
  const counts = countStates(objects);
  if (json) printJson({ dry_run: dryRun, counts, objects });
  else
    printTable(
      ["PATH", "SCOPE", "KEY", dryRun ? "WOULD BE" : ""],
      objects.flatMap((object) => rowsOf(object, !dryRun)),
      "",
    );
  const { written, same, different, cannot, nothing } = counts;
  const parts = [
    `${written} ${dryRun ? "would be written" : "written"}`,
    `${same} the same`,
    `${different} different${different > 0 && !overwrite ? " and left as they are (--overwrite replaces them)" : ""}`,
    `${cannot} cannot be taken`,
    ...(nothing > 0 ? [`${nothing} without a current version`] : []),
  ];
  note(`${objects.length} ${objects.length === 1 ? "path" : "paths"}: ${parts.join(", ")}.`);
  const expiring = objects.filter(({ expires }) => expires).length;
  if (expiring > 0) note(`${expiring} of them have a time at which the Vault deletes them. It does not come along: here they stay.`);
}

function countStates(objects: readonly MovedObject[]): Record<MovedObject["state"], number> {
  const counts = { written: 0, same: 0, nothing: 0, different: 0, cannot: 0 };
  for (const { state } of objects) counts[state]++;
  return counts;
}

/** A line for each key, and one for what is said of the whole path. */
function rowsOf({ path, scope, state, reason, keys }: MovedObject, done: boolean): string[][] {
  const written = done && state === "written";
  const place = [path, scope ?? ""];
  const rows = keys.map(({ key, ...one }) => [...place, key, described(one.state, one.reason, written)]);
  // What concerns single keys is said of these.
  const whole = state === "nothing" || (state === "cannot" && keys.every((one) => one.state !== "cannot"));
  return whole ? [[...place, "", state === "nothing" ? `left out: ${reason}` : described("cannot", reason, false)], ...rows] : rows;
}

function described(state: KeyState, reason: string | undefined, written: boolean): string {
  if (state === "different" && written) return "replaced";
  return reason === undefined ? state : `${state}: ${reason}`;
}
