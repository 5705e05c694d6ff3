import { secretNameSchema } from "../../contract/secret-name.ts";
import { type CliError, usageError } from "../cli-error.ts";
import type { ConfigMap, ConfigMember, ConfigNode, Span } from "./config-node.ts";

/** The key of a reference. */
export const REF = "secret_key_ref";

/** What can be wrong at a place: its message comes after the line. */
export type Refuse = (at: Span, message: string, hint: string) => CliError;

/** Makes errors that begin with the line on which they are. */
export function refuseIn(text: string): Refuse {
  return ({ start }, message, hint) => usageError(`line ${lineAt(text, start)}: ${message}`, hint);
}

/** The number of a place's line. */
export function lineAt(text: string, at: number): number {
  return text.slice(0, at).split("\n").length;
}

/** Whether a mapping is a reference and nothing else. */
export function isAlone({ keys }: ConfigMap): boolean {
  return keys.length === 1 && keys[0] === REF;
}

const HOW = `write ${REF}: {store: NAME}`;

/**
 * The name in a member that is `secret_key_ref: {store: NAME}`.
 *
 * @throws {CliError} when it is another form: an anchor or a tag that stayed behind would make a file that does not parse.
 */
export function nameIn({ keySpan, value, fixedKey }: ConfigMember, refuse: Refuse): string {
  if (value.kind === "text") throw refuse(keySpan, `${REF} is a text; it is a mapping whose one key is store`, HOW);
  if (value.kind === "alias") throw refuse(keySpan, `${REF} is an alias (*)`, `write it out: ${REF}: {store: NAME}`);
  const store = value.kind === "map" && value.keys.length === 1 ? value.members.find(({ key }) => key === "store") : undefined;
  if (value.kind !== "map" || store?.value.kind !== "text") throw refuse(keySpan, `${REF} is a mapping whose one key is store, with a name`, HOW);
  if (!secretNameSchema.safeParse(store.value.value).success)
    throw refuse(store.value.span, "that is not the name of a secret", "1 to 128 letters, digits, '_', '.' or '-', the first a letter or '_'");
  if (fixedKey || value.tagged || value.anchored || store.fixedKey)
    throw refuse(keySpan, `${REF} has an anchor (&), a tag (!) or a key after ?`, "leave that out");
  return store.value.value;
}

/**
 * Refuses a reference alone as what is merged: it becomes a text, and only mappings can be.
 *
 * @throws {CliError} for `<<: *name` and `<<: {…}` of one.
 */
export function refuseMerged({ key, keySpan, value }: ConfigMember, refuse: Refuse): void {
  if (key !== "<<") return;
  const sources = value.kind === "other" ? value.items : [value];
  if (!sources.some(becomesText)) return;
  throw refuse(keySpan, `what << merges is a ${REF} alone, which becomes a text`, `write the ${REF} here, or put another key beside it where it is`);
}

function becomesText(source: ConfigNode): boolean {
  const node = source.kind === "alias" ? source.target : source;
  return node?.kind === "map" && isAlone(node);
}
