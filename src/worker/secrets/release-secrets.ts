import type { Problem } from "../../contract/problem.ts";
import type { StoredEncoding } from "../../contract/secret.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { recordFailure, type Unreleased, UnreleasedError } from "../transaction/record-failure.ts";
import { leaveOut, type Unhad } from "./leave-out.ts";
import { type ReadNeeds, readValues, type Unread } from "./read-values.ts";
import { requireFits } from "./require-fits.ts";
import type { Findings, RecordedSelection } from "./selection.ts";
import type { SourceReader } from "./sources.ts";

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
  /** Of a value that comes from a store: its own id of the version. */
  readonly storeVersion?: string;
  /** Of a value that comes from a store: what stands for it, as a `SourcedValue` has it. */
  readonly mark?: string;
  /** Of a value that comes from a store: until when it may be given again, as a `SourcedValue` has it. */
  readonly until?: number;
}

/** What leaves of a selection, and what does not. */
export interface Release extends Findings {
  readonly secrets: readonly Released[];
}

/** What releasing needs. */
export type ReleaseNeeds = ReadNeeds & { readonly db: D1Database; readonly now: Date; readonly sources: SourceReader };

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
  needs: ReleaseNeeds,
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
  needs: ReleaseNeeds,
  { secrets, needed, caller, ...rest }: RecordedSelection,
  unfit: (secret: Released) => Problem | undefined,
): Promise<{ release: Release; unhad: ReadonlySet<string> }> {
  const read = await fetchSourced(needs, caller, await readValues(needs, secrets));
  const unread = read.flatMap(([{ name }, value]): Unhad[] => ("problem" in value ? [{ name, ...value }] : []));
  const opened = read.flatMap(([{ name, label: scope, id, version, set_at: setAt }, value]): Released[] =>
    "problem" in value ? [] : [{ name, scope, id, version, setAt, ...value }],
  );
  // What comes from stores is known only now.
  requireFits(opened.map(({ bytes }) => bytes.length));
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

type Selected = RecordedSelection["secrets"][number];
type Had = Pick<Released, "bytes" | "encoding" | "storeVersion" | "mark" | "until"> | Unread;

/** With the values of those secrets that have them from a store. */
async function fetchSourced(
  needs: ReleaseNeeds,
  caller: Caller,
  read: readonly (readonly [Selected, Uint8Array | Unread])[],
): Promise<(readonly [Selected, Had])[]> {
  const sourced = read.flatMap(([secret, bytes]) =>
    secret.encoding === "source" && bytes instanceof Uint8Array ? [{ secret, from: { org: secret.binding.org, scope: secret.label, bytes } }] : [],
  );
  const found =
    sourced.length === 0
      ? []
      : await needs.sources.read(
          caller,
          sourced.map(({ from }) => from),
        );
  const bySecret = new Map(sourced.map(({ secret }, n) => [secret, found[n]]));
  return read.map(([secret, value]) => {
    if (!(value instanceof Uint8Array)) return [secret, value];
    if (secret.encoding !== "source") return [secret, { bytes: value, encoding: secret.encoding }];
    const had = bySecret.get(secret);
    if (!had) throw new Error("the value of a secret with a source was not read");
    if ("problem" in had) return [secret, had];
    const { version: storeVersion, ...rest } = had;
    return [secret, { ...rest, storeVersion }];
  });
}

/**
 * Judges what is on record once more, by the rows of the transaction that put it there.
 *
 * @throws {UnreleasedError} with what `judge` throws: then nothing leaves.
 */
export function judgeRecorded(selection: RecordedSelection, judge: (secrets: RecordedSelection["secrets"]) => void): void {
  try {
    judge(selection.secrets);
  } catch (error) {
    throw new UnreleasedError({ unreleased: unreleased(selection), broken: [] }, error);
  }
}

/** What of a selection did not leave: all of it, or some names. */
function unreleased({ secrets, event }: RecordedSelection, names?: ReadonlySet<string>): Unreleased {
  const some = names ? secrets.filter(({ name }) => names.has(name)) : secrets;
  return { ...event, secrets: some.map(({ id, name, label, version }) => ({ id, name, scope: label, version })) };
}
