import type { Keyring } from "../envelope/keyring.ts";
import { isCurrentText, openText } from "../envelope/open-text.ts";
import { sealText } from "../envelope/seal-text.ts";
import type { WebhookRow } from "../store/webhook-rows.ts";
import type { SealingKeyring } from "../transaction/allow-sealing.ts";

/** The secrets that a webhook's messages are signed with. Times are milliseconds since 1970. */
export interface Signing {
  readonly current: string;
  /** The one of before, and until when messages are signed with it, too. */
  readonly previous: { readonly secret: string; readonly until: number } | null;
}

type Named = Pick<WebhookRow, "org" | "name" | "signing_id">;

const PREFIX = "whsec_";
/** Bytes of a secret: 24 to 64 (Standard Webhooks, "Signature scheme"). */
const SECRET = 32;

/** A new secret, as receivers take it: `whsec_` and base64. */
export function newSecret(): string {
  return PREFIX + toBase64(crypto.getRandomValues(new Uint8Array(SECRET)));
}

/** Encrypts the secrets of a webhook for its row, and for no other. */
export function sealSigning(keyring: SealingKeyring, named: Named, signing: Signing): Promise<string> {
  return sealText(keyring, nameOf(named), JSON.stringify(signing));
}

/** Opens the secrets of a webhook; `undefined` when its text is another one's, or its key is not in the keyring. */
export async function openSigning(keyring: Keyring, row: WebhookRow): Promise<Signing | undefined> {
  const text = await openText(keyring, nameOf(row), row.signing);
  return text === undefined ? undefined : (JSON.parse(text) as Signing);
}

/** Until when messages are signed with the secret of before, too; `null` where they are not. */
export async function previousUntil(keyring: Keyring, row: WebhookRow, now: Date): Promise<number | null> {
  const until = (await openSigning(keyring, row))?.previous?.until ?? 0;
  return until > now.getTime() ? until : null;
}

/** The same text under the current key; `undefined` where it is that already, or does not open. */
export async function renewedSigning(keyring: SealingKeyring, row: WebhookRow): Promise<string | undefined> {
  if (isCurrentText(keyring, row.signing)) return undefined;
  const signing = await openSigning(keyring, row);
  return signing && sealSigning(keyring, row, signing);
}

/** What is signed: the message's id, when it is sent, and all of its body. */
export interface Signed {
  readonly id: string;
  readonly at: Date;
  readonly body: string;
}

/** The headers of a message as Standard Webhooks has them (https://www.standardwebhooks.com): signed with each secret that is good now. */
export async function signedHeaders({ current, previous }: Signing, { id, at, body }: Signed): Promise<Record<string, string>> {
  const timestamp = String(Math.floor(at.getTime() / 1_000));
  const secrets = previous && previous.until > at.getTime() ? [current, previous.secret] : [current];
  const signatures = await Promise.all(secrets.map((secret) => sign(secret, `${id}.${timestamp}.${body}`)));
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signatures.map((signature) => `v1,${signature}`).join(" ") };
}

async function sign(secret: string, content: string): Promise<string> {
  const bytes = Uint8Array.from(atob(secret.slice(PREFIX.length)), (char) => char.charCodeAt(0));
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return toBase64(new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(content))));
}

function toBase64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function nameOf({ org, name, signing_id }: Named): string {
  return `webhook ${org} ${name} ${signing_id}`;
}
