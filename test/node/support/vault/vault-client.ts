/** What a client of Vault is asked to do, in its own words: with its functions or commands for KV version 2. */
export type Operation =
  | { readonly op: "health" | "self" }
  | { readonly op: "login"; readonly role: string; readonly jwt: string }
  | { readonly op: "get" | "list" | "metadata" | "delete" | "delete-metadata"; readonly path: string }
  | { readonly op: "put"; readonly path: string; readonly data: object; readonly cas?: number }
  | { readonly op: "patch"; readonly path: string; readonly data: object }
  | { readonly op: "put-metadata"; readonly path: string; readonly custom: Readonly<Record<string, string>> }
  | { readonly op: "delete-versions" | "undelete" | "destroy"; readonly path: string; readonly versions: readonly number[] };

/** What came of it, as the client understood it: what it returns, or the status and errors that it was refused with. */
export type Outcome = Readonly<Record<string, unknown>>;

/** A client of Vault that people have, pointed at one server. */
export interface VaultClient {
  perform(operation: Operation): Promise<Outcome>;
  close(): Promise<void>;
}

/** The state of each version in the metadata of an object. */
export function statesOf(versions: Readonly<Record<string, { deletion_time: string; destroyed: boolean }>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(versions).map(([number, { deletion_time, destroyed }]) => [number, destroyed ? "destroyed" : deletion_time ? "deleted" : "there"]),
  );
}
