import { keyOfName } from "../../../contract/object-key.ts";
import { envName } from "../../../contract/secret-name.ts";
import type { Caller } from "../../access/caller.ts";
import { type ReadObject, readObject } from "../../objects/read-object.ts";
import type { Release, Released } from "../../secrets/release-secrets.ts";
import type { Findings } from "../../secrets/selection.ts";
import { orNull, type VersionFacts, vaultReplyText, versionMetadata } from "./vault-reply.ts";

/** How this front answers a read: with a scope as one object, with one secret, or with what a scope resolves to. */
export type VaultForm =
  | { readonly of: "vault-object"; readonly secretNames: Caller["secretNames"] }
  | { readonly of: "vault-secret" }
  | { readonly of: "vault-variables" };

/** Whether it was this front that answered. */
export function isVaultForm(form: { readonly of: string }): form is VaultForm {
  return form.of.startsWith("vault-");
}

/** What a read released, as the text of a reply, and its version: the revision of an object, a secret's own, or a number that says whether what a scope resolves to is the same. */
export async function vaultContent(form: VaultForm, release: Release, requestId: string): Promise<{ readonly text: string; readonly version: number }> {
  if (form.of === "vault-object") return objectContent(readObject(release, form), requestId);
  const { secrets } = release;
  const data = form.of === "vault-secret" ? twice(secrets) : variables(secrets);
  const createdAt = secrets.reduce((latest, { setAt }) => Math.max(latest, setAt), 0);
  const version = form.of === "vault-secret" ? (secrets[0]?.version ?? 0) : await numberOf(secrets);
  return contentOf({ data, version, createdAt }, requestId, warningsOf(release));
}

function objectContent({ values, state, warnings }: ReadObject, requestId: string) {
  const members = values.map(({ key, value }) => `${JSON.stringify(key)}:${valueJson(value)}`);
  const { revision: version, revisedAt, customMetadata } = state;
  return contentOf({ data: `{${members.join(",")}}`, version, createdAt: revisedAt ?? 0, customMetadata: orNull(customMetadata) }, requestId, warnings);
}

function contentOf({ data, ...facts }: VersionFacts & { readonly data: string }, requestId: string, warnings: readonly string[]) {
  const text = vaultReplyText({ requestId, data: `{"data":${data},"metadata":${JSON.stringify(versionMetadata(facts))}}`, warnings });
  return { text, version: facts.version };
}

/** `value` and `key` are both the value: some clients read the one, some the other. */
function twice([secret]: Release["secrets"]): string {
  if (!secret) throw new Error("a read of one secret released none");
  const value = valueJson(secret);
  return `{"value":${value},"key":${value}}`;
}

function variables(secrets: Release["secrets"]): string {
  return `{${secrets.map((secret) => `${JSON.stringify(envName(secret.name))}:${valueJson(secret)}`).join(",")}}`;
}

/**
 * A number that is the same for the same versions of the same secrets, and the same values of stores, and another one for others: what a scope resolves to
 * has no versions to count. It tells whether something has changed, not what came first. 48 bits fit into an integer of any
 * client, and into a double.
 */
async function numberOf(secrets: Release["secrets"]): Promise<number> {
  const what = JSON.stringify(secrets.map(({ name, scope, id, version, mark }) => [name, scope, id, version, ...(mark === undefined ? [] : [mark])]));
  const digest = new DataView(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(what)));
  return digest.getUint32(0) * 0x10000 + digest.getUint16(4) + 1;
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A value as JSON: what was given as JSON as that, else text, or base64 of bytes. */
function valueJson({ bytes, encoding }: Pick<Released, "bytes" | "encoding">): string {
  return encoding === "json" ? UTF8.decode(bytes) : JSON.stringify(encoding === "base64" ? bytes.toBase64() : UTF8.decode(bytes));
}

/** What is not among the data, and why. */
function warningsOf({ expired, unavailable, skipped }: Findings): string[] {
  return [
    ...expired.map((name) => `${keyOfName(name)} has expired and was left out`),
    ...unavailable.map(({ name, reason }) => `${keyOfName(name)} cannot be had now and was left out: ${reason}`),
    ...skipped.map((name) => `${keyOfName(name)} becomes no environment variable and was left out`),
  ];
}
