import type { Pattern } from "../../contract/pattern.ts";
import { isReserved } from "../../contract/reserved-name.ts";
import type { ResolveRequest } from "./resolution-query.ts";
import type { RecordedSelection } from "./selection.ts";

/** A selection that says which of its names become no variable, also where all of them leave: whoever makes variables of them is told. */
export function listSkipped(selection: RecordedSelection, { asVariables }: ResolveRequest, reservedNames: readonly Pattern[]): RecordedSelection {
  if (asVariables) return selection;
  const skipped = selection.secrets.filter(({ name, variable }) => variable === 0 || isReserved(name, reservedNames)).map(({ name }) => name);
  return { ...selection, skipped };
}
