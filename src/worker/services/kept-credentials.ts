import { scrubbingTable } from "../../scrub/create-scrubber.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { type KeptSealed, memoryCipherOf } from "../envelope/memory-cipher.ts";
import type { Credentials } from "./fill-credentials.ts";

/** How long the JSON is that comes before the table, in bytes: what that takes itself. */
const LENGTH = 4;

/**
 * Encrypts credentials for an isolate's memory, with what finds them in replies: neither is made anew then.
 *
 * @param name What they are kept for, to which they are bound.
 */
export function keepCredentials(keyring: Keyring, name: string, { table: _, ...credentials }: Credentials): Promise<KeptSealed> {
  const text = new TextEncoder().encode(JSON.stringify(credentials));
  const table = credentials.hidden.length === 0 ? new Uint8Array() : scrubbingTable(credentials.hidden);
  const bytes = new Uint8Array(LENGTH + text.length + table.length);
  new DataView(bytes.buffer).setUint32(0, text.length);
  bytes.set(text, LENGTH);
  bytes.set(table, LENGTH + text.length);
  return memoryCipherOf(keyring).seal(name, bytes);
}

/** Opens what {@link keepCredentials} has encrypted for the same name. */
export async function openCredentials(keyring: Keyring, name: string, kept: KeptSealed): Promise<Credentials> {
  const bytes = await memoryCipherOf(keyring).open(name, kept);
  const end = LENGTH + new DataView(bytes.buffer).getUint32(0);
  const table = bytes.subarray(end);
  const credentials = JSON.parse(new TextDecoder().decode(bytes.subarray(LENGTH, end))) as Omit<Credentials, "table">;
  return { ...credentials, table: table.length === 0 ? null : table };
}
