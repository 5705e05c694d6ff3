import { MAX_IMPORTED } from "../../contract/import.ts";
import type { ImportObject, ImportObjectReply } from "../../contract/import-object.ts";
import { Problem, type ProblemCode, type ProblemError, problemOfErrors } from "../../contract/problem.ts";
import { whyReserved } from "../../contract/reserved-name.ts";
import { MAX_VALUE_BYTES } from "../../contract/secret.ts";
import { envName, type SecretName, secretNameSchema } from "../../contract/secret-name.ts";
import type { Caller } from "../access/caller.ts";
import { allowSealing } from "../transaction/allow-sealing.ts";
import { retryWhenChanged } from "../transaction/retry-when-changed.ts";
import type { SecretValue } from "./change.ts";
import { planAll, recordDryRun } from "./import-secrets.ts";
import type { NamingNeeds } from "./set-secret.ts";
import { type Write, writeSecrets } from "./write-secrets.ts";

/** How a document is imported. */
export interface ObjectImport {
  /** Whether only to say what would happen. */
  readonly dryRun: boolean;
  /** Whether a value takes the place of a different one. */
  readonly overwrite: boolean;
}

/**
 * Sets the keys of a document in one scope, all or none, and says how they compare with what was there, in the same
 * transaction. Without `overwrite` nothing is written where a key has another value.
 *
 * @throws {Problem} `forbidden`, `invalid-request`, `value-too-large`, `too-many-secrets`, `name-reserved`, `name-locked`, `env-name-conflict`, `storage-unavailable`.
 */
export async function importObject(needs: NamingNeeds, caller: Caller, { scope, members }: ImportObject, how: ObjectImport): Promise<ImportObjectReply> {
  caller.require("secrets:write", scope);
  const values = checkMembers(needs, members);
  caller.require("secrets:write", scope, [...values.keys()]);
  return retryWhenChanged(async () => {
    const sealing = await allowSealing(needs);
    const writes = await planAll(sealing, caller, { scope, undelete: false }, values);
    const compared = { new: keysOf(writes, "created"), same: keysOf(writes, "unchanged"), different: keysOf(writes, "updated"), custom_metadata: null };
    const written = !how.dryRun && compared.same.length < writes.length && (how.overwrite || compared.different.length === 0);
    // What is not written has told all the same which values are held.
    if (written) await writeSecrets(sealing, caller, "secret.import", writes);
    else await recordDryRun(needs, caller, scope, writes);
    return { ...compared, written };
  });
}

function keysOf(writes: readonly Write[], wanted: Write["outcome"]): string[] {
  return writes.filter(({ outcome }) => outcome === wanted).map(({ row }) => row.name);
}

type Fault = ProblemError & { readonly code: ProblemCode };

/** The values by name, if all of them can be taken; everything that is wrong is found at once. */
function checkMembers({ reservedNames }: NamingNeeds, members: ImportObject["members"]): Map<SecretName, SecretValue> {
  if (members.length > MAX_IMPORTED) throw new Problem("too-many-secrets", `An import holds at most ${MAX_IMPORTED} keys.`);
  const values = new Map<SecretName, SecretValue>();
  const variables = new Map<string, string>();
  const faults = members.flatMap(({ key, value, encoding }, n): Fault[] => {
    const parsed = secretNameSchema.safeParse(key);
    const bytes = new TextEncoder().encode(value);
    const other = parsed.success ? variables.get(envName(parsed.data)) : undefined;
    const wrong: [ProblemCode, string, string | false | undefined][] = [
      ["invalid-request", "key", !parsed.success && (parsed.error.issues[0]?.message ?? "not a name")],
      ["invalid-request", "key", other !== undefined && `${other} has the same environment name`],
      ["name-reserved", "key", parsed.success && whyReserved(parsed.data, reservedNames)],
      ["invalid-request", "value", encoding === "json" && "a value that is no text cannot be kept"],
      ["invalid-request", "value", value === "" && "a value has 1 to 65,536 bytes"],
      ["invalid-request", "value", !value.isWellFormed() && "the text holds a lone surrogate, which UTF-8 cannot carry"],
      ["value-too-large", "value", bytes.length > MAX_VALUE_BYTES && "a value has at most 65,536 bytes"],
    ];
    if (parsed.success) {
      values.set(parsed.data, { bytes, encoding: "utf8" });
      variables.set(envName(parsed.data), key);
    }
    return wrong.flatMap(([code, part, detail]) => (detail ? [{ code, pointer: `/members/${n}/${part}`, detail }] : []));
  });
  const [first] = faults;
  if (first) throw problemOfErrors(first.code, faults, " Nothing was stored.");
  return values;
}
