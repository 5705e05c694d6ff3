import { whole } from "./grammar.ts";

/** The kinds of places outside where values live. */
export const STORE_KINDS = ["aws-secrets-manager", "azure-key-vault", "vault"] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

const SEGMENT = "(?:[A-Za-z0-9_@+=~:-][A-Za-z0-9_.@+=~:-]*|\\.[A-Za-z0-9_@+=~:-][A-Za-z0-9_.@+=~:-]*)";

/**
 * The keys that a store of each kind has. None of them can be read in two ways: no ARN (it has `:`), no empty segment, no `.` and
 * no `..` of a path, nothing percent-encoded.
 */
const KEYS: Readonly<Record<StoreKind, RegExp>> = {
  // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html#SecretsManager-CreateSecret-request-Name
  "aws-secrets-manager": /^[A-Za-z0-9/_+=.@-]{1,512}$/,
  // https://learn.microsoft.com/en-us/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers
  "azure-key-vault": /^[A-Za-z0-9-]{1,127}$/,
  vault: whole(`${SEGMENT}(?:/${SEGMENT}){0,31}`),
};
const LONGEST_KEY = 512;

/**
 * A key as the store itself has it: what an allow rule is compared with. Azure's names are the same in small and in capital letters.
 *
 * @returns `undefined` for what is no key of such a store.
 */
export function storeKeyOf(kind: StoreKind, key: string): string | undefined {
  if (key.length > LONGEST_KEY || !KEYS[kind].test(key)) return undefined;
  return kind === "azure-key-vault" ? key.toLowerCase() : key;
}

/** Whether a pattern of keys (a literal, or a beginning and `*`) matches a key that {@link storeKeyOf} has made. */
export function storeKeyMatches(kind: StoreKind, pattern: string, key: string): boolean {
  const text = kind === "azure-key-vault" ? pattern.toLowerCase() : pattern;
  return text.endsWith("*") ? key.startsWith(text.slice(0, -1)) : key === text;
}
