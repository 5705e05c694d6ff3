import { newOidcKey } from "./oidc-key.ts";
import { newSigningKey } from "./signing-key.ts";
import type { WorkerSecrets } from "./worker-secrets.ts";
import { newRootKey, newWrappedKey } from "./wrapped-key.ts";

/** The Worker secrets of a new deployment: a root key, a keyring with one key, one key each that signs tokens, the log, and what stores are asked with. */
export async function makeSecrets(): Promise<WorkerSecrets> {
  const root = await newRootKey();
  const { id, wrapped } = await newWrappedKey(root);
  return {
    ROOT_KEY: root.text,
    KEYRING: JSON.stringify({ current: id, keys: { [id]: wrapped }, seals: "required" }),
    SIGNING_KEY: JSON.stringify(newSigningKey()),
    LOG_KEY: JSON.stringify({ keys: [newSigningKey()], alone: true }),
    OIDC_KEY: JSON.stringify({ keys: [await newOidcKey()] }),
  };
}
