import type { PutStore, StoreBody } from "../client/create-client.ts";
import type { StoreKind } from "../contract/store-key.ts";
import { linesOf, numberOf, textOf } from "./form-data.ts";

/** What a form asks of a store. */
interface StoreField {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly required?: boolean;
  readonly placeholder?: string;
}

/** A kind of store: what it is called, where it is, and the credentials that it takes. */
interface KindForm {
  readonly title: string;
  readonly place: readonly StoreField[];
  /** Credentials that are secrets, by their names. */
  readonly secrets: readonly StoreField[];
  /** Credentials that are none. */
  readonly plain: readonly StoreField[];
}

/** The kinds as the form knows them. The names are those of the API. */
export const STORE_KINDS: Readonly<Record<StoreKind, KindForm>> = {
  vault: {
    title: "Vault",
    place: [
      { name: "address", label: "Address", required: true, placeholder: "https://vault.example.com:8200" },
      { name: "mount", label: "Mount", required: true, hint: "Where its KV engine of version 2 is, as in secret." },
      { name: "namespace", label: "Namespace" },
    ],
    secrets: [{ name: "token", label: "Token" }],
    plain: [
      { name: "role", label: "Role", hint: "Instead of a token: Keyhole logs in as this role by an identity token." },
      { name: "jwt_auth", label: "Auth method", hint: "With a role: where its method jwt is, as in jwt." },
    ],
  },
  "aws-secrets-manager": {
    title: "AWS Secrets Manager",
    place: [
      { name: "region", label: "Region", required: true, placeholder: "eu-central-1" },
      { name: "role_arn", label: "Role", hint: "The ARN of the role that is taken. Without credentials by an identity token." },
      { name: "endpoint", label: "Endpoint", hint: "Empty: the region's own." },
    ],
    secrets: [
      { name: "access_key_id", label: "Access key id" },
      { name: "secret_access_key", label: "Secret access key" },
    ],
    plain: [],
  },
  "azure-key-vault": {
    title: "Azure Key Vault",
    place: [
      { name: "vault_url", label: "Address of the vault", required: true, placeholder: "https://acme-prod.vault.azure.net" },
      { name: "tenant_id", label: "Tenant", required: true },
      { name: "client_id", label: "Client", required: true },
    ],
    secrets: [
      { name: "client_secret", label: "Client secret", hint: "Without any credential an identity token is." },
      { name: "private_key", label: "Private key", hint: "Instead of it: the key of a certificate." },
    ],
    plain: [{ name: "thumbprint", label: "Thumbprint", hint: "With a private key: the certificate's, in hex." }],
  },
};

/** The scope that has a store's credentials; all of them are in one. */
export function credentialScope({ credentials }: Pick<StoreBody, "credentials">): string | undefined {
  return Object.values(credentials ?? {}).find((given) => typeof given !== "string")?.secret_key_ref.scope;
}

/** A credential as a form shows it: the name of the secret that has it, or what it says itself. */
export function credentialText({ credentials }: Pick<StoreBody, "credentials">, name: string): string | undefined {
  const given = credentials?.[name];
  return typeof given === "object" ? given.secret_key_ref.store : given;
}

/** What a store allows as lines: a pattern of scopes, and one of keys. */
export function allowLines({ allow }: Pick<StoreBody, "allow">): string {
  return allow.flatMap(({ scopes, keys }) => scopes.flatMap((scope) => keys.map((key) => `${scope} ${key}`))).join("\n");
}

/** The store of a form. Whether it is one, the service says. */
export function storeOf(kind: StoreKind, data: FormData): PutStore {
  const { place, secrets, plain } = STORE_KINDS[kind];
  const scope = textOf(data, "credential_scope") ?? "";
  const given = (fields: readonly StoreField[], make: (text: string) => unknown) =>
    fields.flatMap(({ name }) => {
      const text = textOf(data, name);
      return text === undefined ? [] : [[name, make(text)] as const];
    });
  const credentials = Object.fromEntries([...given(secrets, (store) => ({ secret_key_ref: { scope, store } })), ...given(plain, (text) => text)]);
  const [refresh_seconds, stale_seconds] = [numberOf(data, "refresh_seconds"), numberOf(data, "stale_seconds")];
  return {
    kind,
    ...Object.fromEntries(given(place, (text) => text)),
    ...(Object.keys(credentials).length > 0 && { credentials }),
    allow: (linesOf(data, "allow") ?? []).map((line) => {
      const [scopes = "", ...keys] = line.split(/\s+/);
      return { scopes: [scopes], keys: [keys.join(" ")] };
    }),
    ...(refresh_seconds !== undefined && { refresh_seconds }),
    ...(stale_seconds !== undefined && { stale_seconds }),
    write: data.has("write"),
  } as unknown as PutStore;
}
