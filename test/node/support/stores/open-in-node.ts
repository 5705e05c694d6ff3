import { join } from "node:path";
import type { Issuer } from "../../../support/issuer.ts";

/** A driver as the tests in Node see it. */
export interface Driver {
  get(key: string, version?: string): Promise<{ readonly value: Uint8Array; readonly version: string } | undefined>;
  put(key: string, value: Uint8Array, write: { readonly operation: string; readonly ifVersion?: string | null }): Promise<{ readonly version: string }>;
  list(prefix: string, cursor?: string): Promise<{ readonly keys: readonly string[]; readonly next?: string }>;
  delete(key: string): Promise<boolean>;
}

// Paths that the type checker does not follow: the types behind them are those of the Worker's runtime, not of Node.
const SRC = join(import.meta.dirname, "../../../../src/worker");
const { openDriver } = (await import(join(SRC, "stores/drivers.ts"))) as {
  openDriver(definition: object, credentials: object | undefined, needs: object): Driver;
};
const { tokensOf } = (await import(join(SRC, "injection/kept-tokens.ts"))) as { tokensOf(keyring: object): object };

// What the drivers ask of the Worker's runtime.
Object.assign(globalThis, { Cloudflare: { compatibilityFlags: { global_fetch_strictly_public: true } } });

/** The store that a token is for. */
export const SUBJECT = "store:prod";

/** Opens a store on this machine, with tokens of an issuer in the place of Keyhole's. */
export function openInNode(definition: object, credentials: object | undefined, issuer: Issuer, standIns: object = {}): Driver {
  return openDriver(definition, credentials, {
    now: new Date(),
    clock: Date.now,
    defer: () => undefined,
    rules: { insecureOrigins: true, ownHosts: new Set() },
    identityToken(audience: string) {
      const now = Math.floor(Date.now() / 1000);
      return issuer.sign({ iss: issuer.url, sub: SUBJECT, aud: audience, jti: crypto.randomUUID(), iat: now, exp: now + 300 });
    },
    externalId: "org_0123456789",
    store: "s",
    kept: tokensOf({}),
    standIns,
  });
}
