import type { ResolveOneReply, ResolveReply } from "../../../contract/resolve.ts";
import type { Released, Resolved } from "../../secrets/resolve-secrets.ts";

/** What a resolve released, as JSON replies and RPC callers see it. */
export function resolveBody({ missing, searched }: Resolved, secrets: readonly Released[]): ResolveReply {
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
