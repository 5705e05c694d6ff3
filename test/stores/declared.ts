import { put } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import { OIDC_TEST_KEY } from "../support/test-secrets.ts";

export const PUBLIC_URL = "https://keyhole.example.com";

/** A Worker that is an OpenID provider for its stores, some of which are on this machine. */
export const ask = callWith({ OIDC_KEY: OIDC_TEST_KEY, PUBLIC_URL, ALLOW_INSECURE_ORIGINS: "true" });

/** An organization that no other test has. */
export const orgOf = (name: string) => `${name}-${crypto.randomUUID().slice(0, 8)}`;

/** A Vault that is asked by Keyhole's own identity. */
export const VAULT = {
  kind: "vault",
  address: "https://vault.example.com:8200",
  mount: "secret",
  credentials: { role: "keyhole", jwt_auth: "jwt" },
};

export const ref = (scope: string, store: string) => ({ secret_key_ref: { scope, store } });

/** A Vault that is asked by a token that is a secret. */
export const WITH_TOKEN = { ...VAULT, credentials: { token: ref("namespace:ops", "VAULT_TOKEN") } };

/** Puts that token. */
export async function putToken(org: string, fields: object = {}): Promise<void> {
  const { status, text } = await put("namespace:ops", "VAULT_TOKEN", "hvs.a-token-of-vault", {
    token: { org },
    fields: { hosts: ["vault.example.com"], ...fields },
  });
  if (status >= 300) throw new Error(text);
}
