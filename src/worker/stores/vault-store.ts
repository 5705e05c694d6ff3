import { originOf } from "./store-address.ts";
import { StoreError } from "./store-driver.ts";

/** Where secrets of Vault, or OpenBao, are: a mount of the key/value engine, version 2. */
export interface VaultStore {
  readonly kind: "vault";
  readonly address: string;
  readonly mount: string;
  readonly namespace?: string | undefined;
}

/** The port that Vault listens on, beside that of https. */
export const VAULT_PORT = 8200;

/** Where a Vault is asked. @throws {StoreError} `address` */
export function vaultOrigin({ address }: Pick<VaultStore, "address">): URL {
  return originOf(address);
}

/** A path of Vault, each segment encoded; `undefined` where it is none: empty, or with a segment that leads elsewhere. */
export function encodePath(path: string): string | undefined {
  const segments = path.split("/");
  const isPath = segments.every((segment) => segment !== "" && segment !== "." && segment !== ".." && !/\p{Cc}/u.test(segment));
  return isPath && path.isWellFormed() ? segments.map(encodeURIComponent).join("/") : undefined;
}

/** A path that a definition names. @throws {StoreError} `address` */
export function definedPath(path: string): string {
  const encoded = encodePath(path.replace(/\/$/, ""));
  if (encoded === undefined) throw new StoreError("address");
  return encoded;
}
