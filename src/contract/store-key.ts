import { whole } from "./grammar.ts";

/** The kinds of places outside where values live. */
export const STORE_KINDS = ["aws-secrets-manager", "azure-key-vault", "vault"] as const;
export type StoreKind = (typeof STORE_KINDS)[number];

const SEGMENT = "(?:[A-Za-z0-9_@+=~:-][A-Za-z0-9_.@+=~:-]*|\\.[A-Za-z0-9_@+=~:-][A-Za-z0-9_.@+=~:-]*)";

const PATH = whole(`${SEGMENT}(?:/${SEGMENT}){0,31}`);

/**
 * The keys that a store of each kind has. None of them can be read in two ways: no ARN (it has `:`), no empty segment, no `.` and
 * no `..` of a path, nothing percent-encoded. Azure's names are written otherwise there, each key in one way and no two alike
 * (`toAzureName`): so what is compared is what is asked for.
 */
const KEYS: Readonly<Record<StoreKind, RegExp>> = {
  // https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html#SecretsManager-CreateSecret-request-Name
  "aws-secrets-manager": /^[A-Za-z0-9/_+=.@-]+$/,
  "azure-key-vault": PATH,
  vault: PATH,
};
const LONGEST_KEY = 512;

/** Whether a store of a kind has such keys. */
export function isStoreKey(kind: StoreKind, key: string): boolean {
  return key.length <= LONGEST_KEY && KEYS[kind].test(key);
}

/** Whether a pattern of keys (a literal, or a beginning and `*`) matches a key. */
export function storeKeyMatches(pattern: string, key: string): boolean {
  return pattern.endsWith("*") ? key.startsWith(pattern.slice(0, -1)) : key === pattern;
}
