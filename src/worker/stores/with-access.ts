import { dropToken, type KeptTokens, keepToken, openToken } from "../injection/kept-tokens.ts";
import { oneLeads } from "../leases/one-leads.ts";
import { type DriverNeeds, StoreError } from "./store-driver.ts";

/** Access to a store that is fetched, and may be kept. */
export interface FetchedAccess {
  readonly token: string;
  /** For how many seconds it may be used. */
  readonly seconds: number;
}

/** How access is fetched, and with what. */
export interface AccessSource {
  /** Where it is fetched and with what, all of it: other credentials are another source. */
  readonly from: readonly unknown[];
  readonly fetch: () => Promise<FetchedAccess>;
}

/** How long before its end it is used no more, and for how long it is kept at the most, in seconds. */
const EARLY = 60;
const LONGEST = 3_600;
/** How long a call waits for another one that fetches the same, in milliseconds. */
const WITHIN = 10_000;

/**
 * Does something with access to a store: what is kept of it, or else new, which one of all who need it at the same time
 * fetches. If the store does not know what was kept (it ended early, or was taken back), it is forgotten and fetched once more.
 *
 * @param use Throws a {@link StoreError} `credential` if the store does not know who asks.
 */
export async function withAccess<Result>(needs: DriverNeeds, source: AccessSource, use: (token: string) => Promise<Result>): Promise<Result> {
  const name = await nameOf(needs.kept, [needs.externalId, needs.store, ...source.from]);
  for (let first = true; ; first = false) {
    const { token, isNew } = await accessOf(needs, source, name);
    try {
      return await use(token);
    } catch (error) {
      if (!(error instanceof StoreError) || error.refusal !== "credential") throw error;
      await dropToken(needs.kept, name, token, needs.clock());
      if (isNew || !first) throw error;
    }
  }
}

async function accessOf(needs: DriverNeeds, { fetch }: AccessSource, name: string): Promise<{ readonly token: string; readonly isNew: boolean }> {
  const { kept, clock, externalId: org } = needs;
  const again = async () => {
    const token = await openToken(kept, name, clock());
    return token === undefined ? undefined : { token, isNew: false };
  };
  const lead = async () => {
    const { token, seconds } = await fetch();
    const rest = Math.min(seconds, LONGEST) - EARLY;
    if (rest > 0) await keepToken(kept, org, name, token, clock() + rest * 1000);
    return { token, isNew: true };
  };
  return oneLeads(kept, needs, name, again, lead, WITHIN);
}

const keys = new WeakMap<KeptTokens, Promise<CryptoKey>>();

/** A name stays in memory as it is, and values are part of it: it is an HMAC under a key that only this isolate has. */
async function nameOf(kept: KeptTokens, from: readonly unknown[]): Promise<string> {
  const known = keys.get(kept) ?? (crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]) as Promise<CryptoKey>);
  keys.set(kept, known);
  const mac = await crypto.subtle.sign("HMAC", await known, new TextEncoder().encode(JSON.stringify(from)));
  return `keyhole/store-access/1 ${new Uint8Array(mac).toHex()}`;
}
