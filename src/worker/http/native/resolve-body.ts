import { toBase64url } from "../../../contract/base64url.ts";
import type { LeaseReply, ResolveFormat, ResolveOneReply, ResolveReply } from "../../../contract/resolve.ts";
import { envName } from "../../../contract/secret-name.ts";
import { formatTime } from "../../../contract/time.ts";
import type { Released } from "../../secrets/release-secrets.ts";
import type { Selection } from "../../secrets/selection.ts";
import { writeDotenv } from "./write-dotenv.ts";

/** What a resolve released, as JSON replies and RPC callers see it. */
export function resolveBody({ missing, searched }: Pick<Selection, "missing" | "searched">, secrets: readonly Released[]): ResolveReply {
  const entries = secrets.map((secret) => {
    const { name, ...rest } = resolveOneBody(secret);
    return [name, rest] as const;
  });
  return { secrets: Object.fromEntries(entries), missing: [...missing], searched: [...searched] };
}

/** One released secret as JSON replies see it. */
function resolveOneBody(secret: Released): ResolveOneReply {
  const { name, encoding, scope, id, version } = secret;
  return { name, value: valueText(secret), encoding, scope, id, version };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A value as JSON and environments carry it: text, or base64 of bytes. */
function valueText({ bytes, encoding }: Released): string {
  return encoding === "utf8" ? UTF8.decode(bytes) : bytes.toBase64();
}

/** How a resolve is answered: all that was asked for, or one secret. */
export type ResolveForm = { readonly of: "all"; readonly format: ResolveFormat } | { readonly of: "one"; readonly format: "json" | "raw" };

/** The content of a reply, with its media type. */
export interface Content {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** What a resolve released, in the form that was asked for, with the lease under which it was. */
export function resolveContent(
  form: ResolveForm,
  selection: Pick<Selection, "missing" | "searched">,
  secrets: readonly Released[],
  lease: LeaseReply | null,
): Content {
  const leased = lease && { lease };
  if (form.of === "one") {
    const [secret] = secrets;
    if (!secret) throw new Error("a resolve of one name released none");
    return form.format === "raw" ? rawContent(secret) : json({ ...resolveOneBody(secret), ...leased });
  }
  if (form.format === "json") return json({ ...resolveBody(selection, secrets), ...leased });
  const variables = secrets.map((secret) => [envName(secret.name), valueText(secret)] as const);
  return form.format === "env" ? json(Object.fromEntries(variables)) : { type: "text/plain; charset=UTF-8", body: writeDotenv(variables) };
}

/** A lease as replies show it. Times are milliseconds since 1970. */
export function leaseReply({ id, until }: { readonly id: string; readonly until: number }, now: number): LeaseReply {
  return { id, until: formatTime(until), expires_in: Math.max(0, Math.floor((until - now) / 1000)) };
}

function json(value: unknown): Content {
  return { type: "application/json", body: JSON.stringify(value) };
}

function rawContent({ bytes, encoding }: Released): Content {
  return { type: encoding === "utf8" ? "text/plain; charset=utf-8" : "application/octet-stream", body: bytes };
}

/** The entity tag of a selection in one format. A version is immutable, so its id and number stand for its value (RFC 9110, section 8.8.3). */
export async function selectionEtag(format: string, { secrets, missing, searched }: Selection): Promise<string> {
  const what = [format, secrets.map(({ name, label, id, version }) => [name, label, id, version]), missing, searched];
  return `"${toBase64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(what))))}"`;
}
