/** What a ciphertext belongs to. Moved to any other place it does not open. */
export interface Binding {
  readonly org: string;
  readonly scope: string;
  readonly name: string;
  readonly version: number;
}

/** The associated data of a version's encryption: the JSON array `["keyhole/v1", org, scope, name, version]` in UTF-8. */
export function associatedData({ org, scope, name, version }: Binding): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(["keyhole/v1", org, scope, name, version]));
}
