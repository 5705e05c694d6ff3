import { Problem, storageUnavailable } from "../../contract/problem.ts";
import type { ArchiveRow } from "../audit/archives.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { KeyMissingError, OpenError, open } from "../envelope/open.ts";
import { readCiphertexts } from "../store/ciphertexts.ts";
import { brokenRow, IntegrityProblem, verifyRow, verifyRows } from "../transaction/verify-row.ts";
import { readArchive, type Stretch } from "./archive-body.ts";
import { decompress } from "./compress.ts";

/** What opening an archive needs. */
export interface OpenNeeds {
  readonly kv: KVNamespace;
  readonly keyring: Keyring;
}

/** The object of an archive is not in KV. */
export class ArchiveMissingProblem extends Problem {
  constructor() {
    super("storage-unavailable", "A part of the audit log that is archived is not available.", { headers: { "Retry-After": "60" } });
  }
}

/**
 * Reads and opens an archived part of a log.
 *
 * @throws {IntegrityProblem} when its row is not what was sealed, or what is in KV is not what the row says.
 * @throws {ArchiveMissingProblem} when it is not in KV.
 * @throws {Problem} `storage-unavailable` when KV does not answer, or the key is not in the keyring.
 */
export async function openArchive(needs: OpenNeeds, row: ArchiveRow): Promise<Stretch[]> {
  return readArchive(await readArchiveText(needs, row));
}

/** {@link openArchive}, as it was written. */
export async function readArchiveText({ kv, keyring }: OpenNeeds, row: ArchiveRow): Promise<string> {
  const { kv_key } = await verifyRow(keyring, "audit_archives", row);
  return openText(keyring, row, (await readCiphertexts(kv, [kv_key])).get(kv_key));
}

/** How many objects are read at once, and how many of them in bulk: KV gives at most 25 MB. */
const AT_ONCE = 8;
const IN_BULK = 4;

/**
 * {@link openArchive} of one after the other, reading several at once after the first, and in bulk: an invocation has a
 * limit of operations in KV.
 */
export async function* openArchives({ kv, keyring }: OpenNeeds, rows: readonly ArchiveRow[]): AsyncGenerator<readonly [ArchiveRow, Stretch[]]> {
  for (let at = 0, end = 1; at < rows.length; at = end, end += AT_ONCE) {
    const some = await verifyRows(keyring, "audit_archives", rows.slice(at, end));
    const reads = [some.slice(0, IN_BULK), some.slice(IN_BULK)].map((part) =>
      readCiphertexts(
        kv,
        part.map(({ kv_key }) => kv_key),
      ),
    );
    const [first, second] = await Promise.all(reads);
    for (const row of some) yield [row, readArchive(await openText(keyring, row, first?.get(row.kv_key) ?? second?.get(row.kv_key)))];
  }
}

async function openText(keyring: Keyring, row: ArchiveRow, ciphertext: string | undefined): Promise<string> {
  const { key_id, wrapped_key } = row;
  if (ciphertext === undefined) throw new ArchiveMissingProblem();
  try {
    return await decompress(await open(keyring, row, { ciphertext, wrappedKey: wrapped_key, keyId: key_id }));
  } catch (error) {
    if (error instanceof KeyMissingError)
      throw storageUnavailable(`A part of the audit log is under the key ${error.keyId}, which is not in the keyring, or not usable.`, error);
    if (error instanceof OpenError) throw new IntegrityProblem(brokenRow("audit_archives", row), error);
    throw error;
  }
}
