import type { LeftOut, LeftOutReason } from "../contract/left-out.ts";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";
import { note } from "./output.ts";

/** What is no fault of the service: the others say that a value cannot be had now. */
const OWN_REASONS: Readonly<Partial<Record<LeftOutReason, string>>> = {
  skipped: "its variable is reserved",
  expired: "expired",
  missing: "not found",
  unwritable: "this form has no way to say its value",
};

/** Whether a value is left out that is stored and cannot be had now. */
export function isIncomplete(names: readonly LeftOut[]): boolean {
  return names.some(({ reason }) => OWN_REASONS[reason] === undefined);
}

/** Says which names are not among the variables, and why; but for those that are nowhere, which only whoever allows that is not refused. */
export function warnLeftOut(names: readonly LeftOut[], more: number): void {
  const unexpected = names.filter(({ reason }) => reason !== "missing");
  if (unexpected.length + more > 0) note(`warning: ${describe(unexpected, more)}`);
}

/** With `--strict`: refuses to go on without what is left out, whatever the reason. */
export function refuseLeftOut(names: readonly LeftOut[], more: number): void {
  if (names.length + more > 0) throw new CliError(describe(names, more), "without --strict this is a warning", EXIT.incomplete);
}

function describe(names: readonly LeftOut[], more: number): string {
  const listed = names.map(({ name, reason }) => `${name} (${OWN_REASONS[reason] ?? `cannot be had now: ${reason}`})`);
  return `left out: ${listed.join(", ")}${more > 0 ? `, and ${more} more` : ""}`;
}

/** Says which variables are base64, because their values are bytes. */
export function noteBase64(names: readonly string[], more: number): void {
  note(`base64, because they are bytes: ${names.join(", ")}${more > 0 ? `, and ${more} more` : ""}`);
}
