import { signToken } from "../scripts/sign-token.ts";
import { PERMISSIONS } from "../src/contract/permission.ts";
import { casesFor, underLease } from "./cases.ts";
import { type CallCounts, countCall } from "./count-calls.ts";
import { millisecondsFor } from "./leases.ts";
import type { Measured, Shot } from "./load.ts";
import { pump } from "./pump.ts";
import type { Setup } from "./ratios.ts";
import { startSeeded } from "./seed.ts";

/** One read through the Vault front and the native one that gives the same, one right after the other in each round. */
export interface VaultRow {
  readonly name: string;
  readonly connections: number;
  readonly rounds: readonly { readonly vault: Measured; readonly native: Measured }[];
}

interface Case {
  readonly name: string;
  readonly leased: boolean;
  readonly vault: Shot;
  readonly native: Shot;
}

/** The object has so many keys: all that are in its scope. */
const KEYS = 10;

/** Measures reads of clients of Vault beside native ones, through the Worker's own socket. */
export async function measureVaultReads(setup: Setup): Promise<VaultRow[]> {
  const { rounds, requests } = setup;
  const cases = await casesOf(setup);
  const instance = await startSeeded(setup, "keyhole", { direct: true }, KEYS);
  const rows = [1, 8].flatMap((connections) => cases.map((one) => ({ ...one, connections, rounds: [] as VaultRow["rounds"][number][] })));
  // Which one goes first changes from round to round; the first round only warms up.
  for (let round = -1; round < rounds; round++) {
    for (const { vault, native, connections, rounds: measured } of rows) {
      const time = (shot: Shot) => pump(instance.url, shot, connections, millisecondsFor(requests));
      const before = round % 2 === 0 ? await time(native) : undefined;
      const own = await time(vault);
      const beside = before ?? (await time(native));
      if (round >= 0) measured.push({ vault: own, native: beside });
    }
  }
  await instance.stop();
  return rows.map(({ name, connections, rounds: measured }) => ({ name, connections, rounds: measured }));
}

/**
 * Counts what each of these reads asks of the bindings.
 *
 * @throws {Error} when what is given again under a lease asks for anything.
 */
export async function countVaultReads(setup: Setup): Promise<CallCounts[]> {
  const cases = await casesOf(setup);
  const instance = await startSeeded(setup, "counting", {}, KEYS);
  const counts: CallCounts[] = [];
  for (const { name, leased, vault, native } of cases) {
    for (const [front, shot] of [["Vault", vault] as const, ["native", native] as const]) {
      counts.push(await countCall(instance, `${name}, ${front}${leased ? ", opens it" : ""}`, shot));
      if (!leased) continue;
      const hit = await countCall(instance, `${name}, ${front}`, shot);
      if (hit.waits + hit.d1Batches + hit.kvReads + hit.kvWrites > 0) throw new Error(`${hit.name} asked the bindings: ${JSON.stringify(hit)}`);
      counts.push(hit);
    }
  }
  await instance.stop();
  return counts;
}

async function casesOf({ secrets, token }: Setup): Promise<Case[]> {
  const request = { org: "acme", subject: "bench", permissions: PERMISSIONS.join(" "), ttl: 86_400, issuer: "keyhole", audience: "keyhole" };
  const leasing = await signToken(secrets.SIGNING_KEY, { ...request, leaseSeconds: 300 });
  const reads = (sent: string) => {
    const { vaultSecret, vaultObject, resolveByGet, resolve } = casesFor(sent);
    return [
      { what: "one secret", vault: vaultSecret, native: resolveByGet },
      { what: `${KEYS} keys`, vault: vaultObject, native: resolve(KEYS) },
    ];
  };
  const strict = reads(token).map(({ what, ...shots }) => ({ name: `${what}, strict`, leased: false, ...shots }));
  const asked = reads(token).map(({ what, vault, native }) => ({
    name: `${what}, under a lease`,
    leased: true,
    vault: underLease(vault),
    native: underLease(native),
  }));
  const byToken = reads(leasing).map(({ what, ...shots }) => ({ name: `${what}, under its token's lease`, leased: true, ...shots }));
  return [...strict, ...asked, ...byToken];
}
