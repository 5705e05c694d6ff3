import { DOUBTS, type Doubt, type ImportReply, MAX_IMPORTED, type Skippable } from "../../contract/import.ts";
import { jsonPointer } from "../../contract/json-pointer.ts";
import { invalid, Problem, type ProblemCode, type ProblemError, problemOfErrors } from "../../contract/problem.ts";
import { whyReserved } from "../../contract/reserved-name.ts";
import type { Scope } from "../../contract/scope.ts";
import { MAX_VALUE_BYTES } from "../../contract/secret.ts";
import { type SecretName, secretNameSchema } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { givenSecrets, insertEvent } from "../audit/insert-event.ts";
import { GuardError, rowsOf } from "../store/run-batch.ts";
import { requireNoStore } from "../store/scope-store-rows.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { noEventLeft, unlessUsedUp } from "../transaction/event-quota.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { problemOfGuard } from "../transaction/write-for-caller.ts";
import type { SecretValue } from "./change.ts";
import { planSettings } from "./plan-settings.ts";
import type { NamingNeeds } from "./set-secret.ts";
import { unlessTaken } from "./unless-taken.ts";
import { type Write, writeSecrets } from "./write-secrets.ts";

/** What is to be imported. */
export interface Import {
  readonly scope: Scope;
  /** Names and values, as they were given. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Whether only to say what would happen. */
  readonly dryRun: boolean;
  /** Whether the earlier versions of what was deleted come back, too. */
  readonly undelete: boolean;
  /** What is wrong with the file that they come from, and on which line each name is there. */
  readonly file: { readonly faults: readonly ProblemError[]; readonly lines: ReadonlyMap<string, number> } | null;
  /** What is taken as it is, although it is likely meant in another way. */
  readonly allowed: ReadonlySet<Doubt>;
  /** What is left out instead of being refused. */
  readonly skip: ReadonlySet<Skippable>;
}

/**
 * Sets many secrets of one scope, all or none. Everything wrong is found before anything is written.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `value-too-large`, `name-reserved`, `name-locked`, `env-name-conflict`, `too-many-secrets`, `storage-unavailable`.
 */
export async function importSecrets(needs: NamingNeeds, caller: Caller, given: Import): Promise<ImportReply> {
  const { scope, dryRun, undelete } = given;
  caller.require("secrets:write", scope);
  const { values, skipped } = checkAll(needs, given);
  caller.require("secrets:write", scope, [...values.keys()]);
  return retryWhenChanged(async () => {
    const sealing = await allowSealing(needs);
    const writes = await planSettings(sealing, caller, { scope, undelete }, values, ({ given: value }) => ({ value }));
    if (dryRun) await recordDryRun(needs, caller, scope, writes);
    else await writeSecrets(sealing, caller, "secret.import", writes);
    return importReply(writes, skipped);
  });
}

/** Something that is wrong with what is to be imported. */
type Fault = ProblemError & { readonly code: ProblemCode };

/** A name with its value, and why it is left out, if it is. */
interface Entry {
  readonly name: string;
  readonly text: string;
  readonly value: SecretValue;
  readonly skipped: Skippable | undefined;
}

/** The values of an import, and what is left out of it. @throws {Problem} with everything that is wrong. */
export function checkAll(needs: NamingNeeds, { secrets, file, allowed, skip }: Import) {
  const given = Object.entries(secrets);
  const faults: Fault[] = (file?.faults ?? []).map((fault) => ({ code: "invalid-request", ...fault }));
  if (given.length === 0 && faults.length === 0) throw invalid("", "there is nothing to import");
  if (given.length > MAX_IMPORTED) throw new Problem("too-many-secrets", `An import holds at most ${MAX_IMPORTED} secrets.`);
  const entries = given.map(([name, text]): Entry => {
    const value = { bytes: new TextEncoder().encode(text), encoding: "utf8" } as const;
    return { name, text, value, skipped: whySkipped(needs, skip, name, text) };
  });
  const taken = entries.filter(({ skipped }) => skipped === undefined);
  faults.push(...taken.flatMap((entry) => faultsOf(needs, entry, allowed, file?.lines.get(entry.name))));
  if (faults.length > 0) throw refusal(faults);
  return {
    values: new Map(taken.map(({ name, value }) => [name as SecretName, value])),
    skipped: entries.flatMap(({ name, skipped }) => (skipped === undefined ? [] : [{ name, reason: skipped }])),
  };
}

function whySkipped({ reservedNames }: NamingNeeds, skip: ReadonlySet<Skippable>, name: string, text: string): Skippable | undefined {
  if (skip.has("empty") && text === "") return "empty";
  const parsed = secretNameSchema.safeParse(name);
  return skip.has("reserved") && parsed.success && whyReserved(parsed.data, reservedNames) !== undefined ? "reserved" : undefined;
}

function faultsOf({ reservedNames }: NamingNeeds, { name, text, value }: Entry, allowed: ReadonlySet<Doubt>, line: number | undefined): Fault[] {
  const pointer = jsonPointer(["secrets", name]);
  const parsed = secretNameSchema.safeParse(name);
  const doubt = doubtOf(text);
  const wrong: [ProblemCode, string | false | undefined][] = [
    ["invalid-request", !parsed.success && (parsed.error.issues[0]?.message ?? "not a name")],
    ["invalid-request", text === "" && "a value has 1 to 65,536 bytes; skip=empty leaves it out"],
    ["invalid-request", !text.isWellFormed() && "the text holds a lone surrogate, which UTF-8 cannot carry"],
    ["invalid-request", doubt && !allowed.has(doubt) && `${DOUBTS[doubt]} (allow=${doubt} takes it so)`],
    ["value-too-large", value.bytes.length > MAX_VALUE_BYTES && "a value has at most 65,536 bytes"],
    ["name-reserved", parsed.success && whyReserved(parsed.data, reservedNames)],
  ];
  const place = line === undefined ? "" : `, on line ${line}`;
  return wrong.flatMap(([code, detail]) => (detail ? [{ code, pointer, detail: `${detail}${place}` }] : []));
}

/** What a value is likely to be that stands for another one. */
function doubtOf(value: string): Doubt | undefined {
  if (/^(?:ENC\[|encrypted:)/.test(value)) return "encrypted";
  return value.startsWith("op://") ? "reference" : undefined;
}

/** One problem for all faults; its code is that of the gravest, which come first. */
function refusal(faults: readonly Fault[]): Problem {
  const codes: ProblemCode[] = ["invalid-request", "value-too-large", "name-reserved"];
  const code = codes.find((candidate) => faults.some((one) => one.code === candidate)) ?? "invalid-request";
  const [gravest, others] = [true, false].map((grave) => faults.filter((fault) => (fault.code === code) === grave));
  return problemOfErrors(code, [...(gravest ?? []), ...(others ?? [])], " Nothing was stored.");
}

/** What a dry run says of a secret, that which says most of its value first. */
const TOLD: readonly Write["outcome"][] = ["unchanged", "updated", "created"];

/** A dry run tells which values are held already, so it is on record like an import, with what it compared, as far as that is few; what is not there has no id. Of a scope in a store only `there` knows it. */
export async function recordDryRun(needs: NamingNeeds, caller: Caller, scope: Scope, writes: readonly Write[], there = false): Promise<void> {
  // What the reply gives away comes first: the event names some of them only.
  const compared = writes
    .toSorted((a, b) => TOLD.indexOf(a.outcome) - TOLD.indexOf(b.outcome))
    .map(({ row: { id, name, version }, outcome, value }) => {
      if (outcome === "created") return { id: null, name, scope, version: null };
      return { id, name, scope, version: value ? version - 1 : version };
    });
  const event = { actor: caller, action: "secret.import", outcome: "allowed", at: needs.now, target: `dry-run:${scope}`, dryRun: true } as const;
  const given = givenSecrets(compared, unlessUsedUp(caller.org, needs.quotas, needs.now));
  const outside = there ? [] : [requireNoStore(needs.db, caller.org, [scope])];
  const results = await unlessTaken(needs, caller, writes, (guards) =>
    runForCaller(needs, caller, [...outside, ...guards, insertEvent(needs.db, event, given)]),
  ).catch((error: unknown) => {
    throw error instanceof GuardError ? (problemOfGuard(error) ?? error) : error;
  });
  if (rowsOf(results.at(-1)).length === 0) throw noEventLeft();
}

/** What became of the secrets of an import. */
export function importReply(writes: readonly Write[], skipped: NonNullable<ImportReply["skipped"]>): ImportReply {
  const names = (wanted: Write["outcome"]) => writes.filter(({ outcome }) => outcome === wanted).map(({ row }) => row.name);
  return { created: names("created"), updated: names("updated"), unchanged: names("unchanged"), ...(skipped.length > 0 && { skipped }) };
}
