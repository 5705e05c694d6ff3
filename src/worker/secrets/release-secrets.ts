import type { Problem } from "../../contract/problem.ts";
import type { StoredEncoding } from "../../contract/secret.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import { recordFailure, type Unreleased, UnreleasedError } from "../transaction/record-failure.ts";
import { leaveOut, type Unhad } from "./leave-out.ts";
import { type ReadNeeds, readValues } from "./read-values.ts";
import type { Findings, RecordedSelection } from "./selection.ts";

/** One released secret. `scope` is the one that won, or `builtin`. */
export interface Released {
  readonly name: SecretName;
  readonly bytes: Uint8Array;
  readonly encoding: StoredEncoding;
  readonly scope: string;
  readonly id: string;
  readonly version: number;
  /** When the version was made, in milliseconds since 1970. */
  readonly setAt: number;
}

/** What leaves of a selection, and what does not. */
export interface Release extends Findings {
  readonly secrets: readonly Released[];
}

type Needs = ReadNeeds & { readonly db: D1Database; readonly now: Date };

/**
 * Reads and opens the values of a selection that is on record, and makes of them what leaves. What does not leave is put
 * on record as well, before anything does: the values that cannot be had, or all of them when nothing can be made.
 *
 * @param make Makes what leaves.
 * @param unfit Why a value cannot leave in the form that was asked for; `undefined` where it can.
 * @throws {UnreleasedError} when nothing leaves: `integrity-failed`, `internal` when one does not open,
 *   `answer-too-large`, `storage-unavailable`, and whatever `make` throws.
 */
export async function releaseSecrets<T>(
  needs: Needs,
  selection: RecordedSelection,
  make: (release: Release) => T | Promise<T>,
  unfit: (secret: Released) => Problem | undefined = () => undefined,
): Promise<T> {
  try {
    const { release, unhad } = await open(needs, selection, unfit);
    const made = await make(release);
    if (unhad.size > 0) await recordFailure(needs, selection.caller, { unreleased: unreleased(selection, unhad), broken: [] });
    return made;
  } catch (error) {
    throw new UnreleasedError({ unreleased: unreleased(selection), broken: [] }, error);
  }
}

/** Reads and opens the values of a selection; `unhad` are the names of those that cannot be had. */
async function open(
  needs: ReadNeeds,
  { secrets, needed, ...rest }: RecordedSelection,
  unfit: (secret: Released) => Problem | undefined,
): Promise<{ release: Release; unhad: ReadonlySet<string> }> {
  const read = await readValues(needs, secrets);
  const unread = read.flatMap(([{ name }, value]): Unhad[] => (value instanceof Uint8Array ? [] : [{ name, ...value }]));
  const opened = read.flatMap(([{ name, label: scope, id, version, set_at: setAt, encoding }, bytes]): Released[] =>
    bytes instanceof Uint8Array ? [{ name, bytes, encoding, scope, id, version, setAt }] : [],
  );
  const unwritable = opened.flatMap((secret): Unhad[] => {
    const problem = unfit(secret);
    return problem ? [{ name: secret.name, reason: "unwritable", problem }] : [];
  });
  const unhad = [...unread, ...unwritable];
  const without = new Set(unhad.map(({ name }) => name));
  const released = opened.filter(({ name }) => !without.has(name));
  const { missing, expired, skipped, searched, empty, object } = rest;
  const unavailable = [...rest.unavailable, ...leaveOut(needed, unhad)];
  return { release: { secrets: released, missing, expired, skipped, unavailable, searched, empty, object }, unhad: without };
}

/** What of a selection did not leave: all of it, or some names. */
function unreleased({ secrets, event }: RecordedSelection, names?: ReadonlySet<string>): Unreleased {
  const some = names ? secrets.filter(({ name }) => names.has(name)) : secrets;
  return { ...event, secrets: some.map(({ id, name, label, version }) => ({ id, name, scope: label, version })) };
}
