import type { CallOptions, PageQuery } from "./calls.ts";

/** A secret that has a store's credential: its scope, and as `store` its name. */
export interface SecretRef {
  secret_key_ref: { scope: string; store: string };
}

/** Which scopes may have which keys of a store. Patterns are a literal, or a beginning followed by `*`. */
export interface StoreAllow {
  scopes: string[];
  keys: string[];
}

/** What every store says. */
export interface StoreRules {
  /** None, where it is left out. */
  allow?: StoreAllow[] | undefined;
  /** Whether scopes may be put in it: what is set and deleted in these is so there. Without it, it is only read from. */
  write?: boolean | undefined;
  /** For how long what was read is given again before the store is asked anew; 60 unless told. */
  refresh_seconds?: number | undefined;
  /** For how long beyond that it is given while the store does not answer; 0 unless told. */
  stale_seconds?: number | undefined;
}

/** AWS Secrets Manager. */
export interface PutAwsStore extends StoreRules {
  kind: "aws-secrets-manager";
  region: string;
  /** The role that is assumed. */
  role_arn?: string | undefined;
  endpoint?: string | undefined;
  credentials?: { access_key_id: SecretRef; secret_access_key: SecretRef } | undefined;
}

/** Azure Key Vault. */
export interface PutAzureStore extends StoreRules {
  kind: "azure-key-vault";
  vault_url: string;
  tenant_id: string;
  client_id: string;
  credentials?: { client_secret: SecretRef } | { private_key: SecretRef; thumbprint: string } | undefined;
}

/** A Vault: HashiCorp's, or OpenBao. */
export interface PutVaultStore extends StoreRules {
  kind: "vault";
  /** Port 443 or 8200. */
  address: string;
  /** Where its KV engine of version 2 is. */
  mount: string;
  namespace?: string | undefined;
  credentials: { token: SecretRef } | { role: string; jwt_auth: string };
}

/** Where values live outside, by which credentials they are had, and which scopes may have which keys. */
export type PutStore = PutAwsStore | PutAzureStore | PutVaultStore;

/** A store, as it is shown: no value is in it. */
export interface StoreBody {
  name: string;
  kind: PutStore["kind"];
  /** Counts its changes. */
  revision: number;
  region?: string | undefined;
  role_arn?: string | undefined;
  endpoint?: string | undefined;
  vault_url?: string | undefined;
  tenant_id?: string | undefined;
  client_id?: string | undefined;
  address?: string | undefined;
  mount?: string | undefined;
  namespace?: string | undefined;
  /** Which secrets have them; none, where it is Keyhole's own identity. */
  credentials?: Record<string, string | SecretRef> | undefined;
  allow: StoreAllow[];
  /** Whether scopes may be put in it. A store of before there was this has none. */
  write?: boolean | undefined;
  refresh_seconds: number;
  stale_seconds: number;
  /** What the identity tokens say by which Keyhole asks for access there; `null` where the credentials are stored. */
  identity: { issuer: string; subject: string; audience: string } | null;
  created_at: string;
  created_by: string;
  updated_at: string;
  updated_by: string;
}

/** One page of stores. */
export interface StorePage {
  stores: StoreBody[];
  next_cursor: string | null;
}

/** What came of trying a store. */
export interface StoreCheck {
  ok: boolean;
  tried: "list" | "read";
  /** Whether there is the key that was to be read; `null` where none was, or it is not known. */
  found: boolean | null;
  /** What does not work; `null` where all that was tried does. */
  fails: "address" | "credential" | "permission" | "store" | null;
  /** For people. Nothing that the store said is in it. */
  detail: string;
}

/** Stores: places outside where values live. */
export interface StoreCalls {
  /**
   * Makes or replaces a store.
   *
   * @example
   * await client.stores.put("vault-prod", {
   *   kind: "vault",
   *   address: "https://vault.example.com:8200",
   *   mount: "secret",
   *   credentials: { role: "keyhole", jwt_auth: "jwt" },
   *   allow: [{ scopes: ["namespace:prod"], keys: ["prod/*"] }],
   * });
   */
  put(name: string, store: PutStore, options?: CallOptions): Promise<StoreBody>;
  /**
   * One store.
   *
   * @example
   * const { kind, allow } = await client.stores.get("vault-prod");
   */
  get(name: string, options?: CallOptions): Promise<StoreBody>;
  /**
   * One page of them, by name.
   *
   * @example
   * const { stores } = await client.stores.list();
   */
  list(query?: PageQuery, options?: CallOptions): Promise<StorePage>;
  /**
   * All of them, page after page.
   *
   * @example
   * for await (const { name, kind } of client.stores.listAll()) console.log(name, kind);
   */
  listAll(options?: CallOptions): AsyncGenerator<StoreBody>;
  /**
   * Tries a store: reads `key` and shows nothing of it, or lists keys where none is named.
   *
   * @example
   * const { ok, detail } = await client.stores.check("vault-prod", "prod/database");
   */
  check(name: string, key?: string, options?: CallOptions): Promise<StoreCheck>;
  /**
   * Deletes a store.
   *
   * @example
   * await client.stores.delete("vault-prod");
   */
  delete(name: string, options?: CallOptions): Promise<void>;
}
