import type { Encoding } from "../../contract/secret.ts";
import type { SecretName } from "../../contract/secret-name.ts";
import { type ReadNeeds, readValues } from "./read-values.ts";
import type { RecordedSelection } from "./selection.ts";

/** One released secret. `scope` is the one that won, or `builtin`. */
export interface Released {
  readonly name: SecretName;
  readonly bytes: Uint8Array;
  readonly encoding: Encoding;
  readonly scope: string;
  readonly id: string;
  readonly version: number;
}

/**
 * Reads and opens the values of a selection that is on record.
 *
 * @throws {Problem} `storage-unavailable`; `internal` when one does not open.
 */
export async function releaseSecrets(needs: ReadNeeds, { secrets }: RecordedSelection): Promise<Released[]> {
  const values = await readValues(needs, secrets);
  return values.map(([{ name, label, id, version, encoding }, bytes]) => ({ name, bytes, encoding, scope: label, id, version }));
}
