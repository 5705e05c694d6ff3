import type { AuditEvent } from "./audit.ts";
import { toBase64url } from "./base64url.ts";

/**
 * The digest of an audit event: SHA-256 over the UTF-8 of the JSON array of its fields in a fixed order, base64url
 * without padding. It is the same for an event from the database, from a reply and from an export.
 */
export async function eventDigest(event: AuditEvent): Promise<string> {
  const secrets = event.secrets.map(({ id, name, scope, version }) => [id, name, scope, version]);
  const { seq, at, org, actor, token_id, action, outcome, target, request_id, ip, user_agent } = event;
  return sha256(JSON.stringify(["keyhole-audit/v1", seq, at, org, actor, token_id, action, outcome, secrets, target, request_id, ip, user_agent]));
}

/** The SHA-256 of a text's UTF-8, base64url without padding. */
export async function sha256(text: string): Promise<string> {
  return toBase64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}
