import type { Client } from "../../client/create-client.ts";
import { DOUBT_KINDS, MAX_IMPORTED } from "../../contract/import.ts";
import type { Scope } from "../../contract/scope.ts";
import { progress } from "../output.ts";
import type { LocalSecret } from "./store-file.ts";

/** A secret of this machine, its value, and where it is to go. */
export interface Candidate {
  readonly secret: LocalSecret;
  readonly value: string;
  readonly to: Scope;
}

/** The same beside what the deployment has: nothing, the same value, another one; or it takes none of that name. */
export interface Compared extends Candidate {
  readonly state: "new" | "same" | "different" | "reserved";
}

/** What one call carries: well below the largest request body. */
const MAX_CALL_BYTES = 500_000;

/** Says of each secret how it compares with what the deployment has. Nothing is written, and no value comes back. */
export async function comparePush(client: Client, candidates: readonly Candidate[]): Promise<Compared[]> {
  const compared: Compared[] = [];
  for (const call of inCalls(candidates)) {
    const [{ to }] = call as [Candidate];
    const values = Object.fromEntries(call.map(({ secret, value }) => [secret.name, value]));
    // A value is what it is here: nothing in it is meant in another way.
    const reply = await client.secrets.import(to, values, { dryRun: true, allow: DOUBT_KINDS, skip: ["reserved"] });
    const [created, unchanged, skipped] = [reply.created, reply.unchanged, (reply.skipped ?? []).map(({ name }) => name)].map((names) => new Set(names));
    for (const candidate of call) {
      const { name } = candidate.secret;
      const state = created?.has(name) ? "new" : unchanged?.has(name) ? "same" : skipped?.has(name) ? "reserved" : "different";
      compared.push({ ...candidate, state });
    }
    progress(`Comparing: ${compared.length} of ${candidates.length}`);
  }
  return compared;
}

/** Candidates as calls carry them: of one scope each, and no more than a call may have. */
function inCalls(candidates: readonly Candidate[]): Candidate[][] {
  const calls: Candidate[][] = [];
  let bytes = 0;
  for (const candidate of candidates) {
    const size = Buffer.byteLength(JSON.stringify([candidate.secret.name, candidate.value]));
    const call = calls.at(-1);
    const fits = call !== undefined && call[0]?.to === candidate.to && call.length < MAX_IMPORTED && bytes + size <= MAX_CALL_BYTES;
    if (fits) call.push(candidate);
    else calls.push([candidate]);
    bytes = fits ? bytes + size : size;
  }
  return calls;
}
