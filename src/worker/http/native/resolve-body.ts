import { toBase64url } from "../../../contract/base64url.ts";
import type { ResolveOneReply, ResolveReply } from "../../../contract/resolve.ts";
import type { Released } from "../../secrets/release-secrets.ts";
import type { Selection } from "../../secrets/selection.ts";

/** What a resolve released, as JSON replies and RPC callers see it. */
export function resolveBody({ missing, searched }: Pick<Selection, "missing" | "searched">, secrets: readonly Released[]): ResolveReply {
  const entries = secrets.map((secret) => {
    const { name, ...rest } = resolveOneBody(secret);
    return [name, rest] as const;
  });
  return { secrets: Object.fromEntries(entries), missing: [...missing], searched: [...searched] };
}

/** One released secret as JSON replies see it. */
export function resolveOneBody(secret: Released): ResolveOneReply {
  const { name, encoding, scope, id, version } = secret;
  return { name, value: valueText(secret), encoding, scope, id, version };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A value as JSON and environments carry it: text, or base64 of bytes. */
export function valueText({ bytes, encoding }: Released): string {
  return encoding === "utf8" ? UTF8.decode(bytes) : bytes.toBase64();
}

/** The entity tag of a selection in one format. A version is immutable, so its id and number stand for its value (RFC 9110, section 8.8.3). */
export async function selectionEtag(format: string, { secrets, missing, searched }: Selection): Promise<string> {
  const what = [format, secrets.map(({ name, label, id, version }) => [name, label, id, version]), missing, searched];
  return `"${toBase64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(what))))}"`;
}
