import { BASE64_HEADER, formatBase64Names } from "../../../contract/base64-names.ts";
import { toBase64url } from "../../../contract/base64url.ts";
import { EMPTY_SCOPES_HEADER, formatEmptyScopes } from "../../../contract/empty-scopes.ts";
import { formatLeftOut, LEFT_OUT_HEADER, type LeftOut } from "../../../contract/left-out.ts";
import type { Problem } from "../../../contract/problem.ts";
import type { LeaseReply, ResolveFormat, ResolveOneReply, ResolveReply, VariableFormat } from "../../../contract/resolve.ts";
import { shownEncoding } from "../../../contract/secret.ts";
import { envName } from "../../../contract/secret-name.ts";
import { formatTime } from "../../../contract/time.ts";
import type { Release, Released } from "../../secrets/release-secrets.ts";
import type { Findings, Selection } from "../../secrets/selection.ts";
import type { Variable } from "./variable.ts";
import { VARIABLE_FORMS, whyUnwritable } from "./variable-formats.ts";

/** What a resolve released, as JSON replies and RPC callers see it. Lists of what is not there are left out when they are empty. */
export function resolveBody({ secrets, missing, expired, unavailable, skipped, searched }: Release): ResolveReply {
  const entries = secrets.map((secret) => {
    const { name, ...rest } = resolveOneBody(secret);
    return [name, rest] as const;
  });
  const released = new Set<string>(secrets.map(({ name }) => name));
  const reserved = skipped.filter((name) => released.has(name));
  return {
    secrets: Object.fromEntries(entries),
    missing: [...missing],
    ...(expired.length > 0 && { expired: [...expired] }),
    ...(unavailable.length > 0 && { unavailable: [...unavailable] }),
    ...(reserved.length > 0 && { skipped: reserved }),
    searched: [...searched],
  };
}

/** One released secret as JSON replies see it. */
function resolveOneBody(secret: Released): ResolveOneReply {
  const { name, encoding, scope, id, version, storeVersion } = secret;
  return {
    ...{ name, value: valueText(secret), encoding: shownEncoding(encoding), scope, id, version },
    ...(storeVersion !== undefined && { store_version: storeVersion }),
  };
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** A value as JSON and environments carry it: text, or base64 of bytes. */
function valueText({ bytes, encoding }: Released): string {
  return encoding === "base64" ? bytes.toBase64() : UTF8.decode(bytes);
}

/** How a resolve is answered: all that was asked for, or one secret. */
export type ResolveForm = { readonly of: "all"; readonly format: ResolveFormat } | { readonly of: "one"; readonly format: "json" | "raw" };

/** The content of a reply, with its media type. */
export interface Content {
  readonly type: string;
  readonly body: string | Uint8Array;
}

/** What a resolve released, in the form that was asked for, with the lease under which it was. */
export function resolveContent(form: ResolveForm, release: Release, lease: LeaseReply | null): Content {
  // An answer in which something cannot be had is not given again.
  const leased = release.unavailable.length === 0 && lease && { lease };
  if (form.of === "one") {
    const [secret] = release.secrets;
    if (!secret) throw new Error("a resolve of one name released none");
    return form.format === "raw" ? rawContent(secret) : json({ ...resolveOneBody(secret), ...leased });
  }
  if (form.format === "json") return json({ ...resolveBody(release), ...leased });
  const { type, write } = VARIABLE_FORMS[form.format];
  return { type, body: write(release.secrets.map(variableOf)) };
}

function variableOf(secret: Released): Variable {
  return { name: envName(secret.name), value: valueText(secret), isBytes: secret.encoding === "base64" };
}

/** Why a value cannot be had in this form; `undefined` where it can. */
export function whyUnfit(form: ResolveForm, secret: Released): Problem | undefined {
  return isOfVariables(form) ? whyUnwritable(form.format, variableOf(secret)) : undefined;
}

/** A lease as replies show it. Times are milliseconds since 1970. */
export function leaseReply({ id, until }: { readonly id: string; readonly until: number }, now: number): LeaseReply {
  return { id, until: formatTime(until), expires_in: Math.max(0, Math.floor((until - now) / 1000)) };
}

function json(value: unknown): Content {
  return { type: "application/json", body: JSON.stringify(value) };
}

function rawContent({ bytes, encoding }: Released): Content {
  return { type: encoding === "base64" ? "application/octet-stream" : "text/plain; charset=utf-8", body: bytes };
}

/** Whether what is released becomes environment variables. */
export function isOfVariables(form: ResolveForm): form is { readonly of: "all"; readonly format: VariableFormat } {
  return form.of === "all" && form.format !== "json";
}

/** What a reply says of what is in it beside its own headers. */
export type Listed = Findings & { readonly secrets: readonly Pick<Released, "name" | "encoding" | "storeVersion" | "mark">[] };

/**
 * The headers of a reply beside its own: which scopes that were asked for are empty; with variables, which names are not
 * among them, and which of them are base64.
 */
export function findingHeaders(form: ResolveForm, listed: Listed): Record<string, string> {
  const empty = formatEmptyScopes(listed.empty);
  const ofVariables = isOfVariables(form);
  const leftOut = ofVariables ? formatLeftOut(leftOutOf(listed)) : undefined;
  const bytes = listed.secrets.filter(({ encoding }) => encoding === "base64").map(({ name }) => envName(name));
  const base64 = ofVariables ? formatBase64Names(bytes) : undefined;
  return {
    ...(leftOut !== undefined && { [LEFT_OUT_HEADER]: leftOut }),
    ...(base64 !== undefined && { [BASE64_HEADER]: base64 }),
    ...(empty !== undefined && { [EMPTY_SCOPES_HEADER]: empty }),
  };
}

function leftOutOf({ skipped, expired, missing, unavailable }: Findings): LeftOut[] {
  const named = (names: readonly string[], reason: LeftOut["reason"]) => names.map((name) => ({ name, reason }));
  return [...unavailable, ...named(expired, "expired"), ...named(missing, "missing"), ...named(skipped, "skipped")];
}

/**
 * The entity tag of a selection in one format, as far as its values can be had. A version is immutable, so its id and
 * number stand for its value (RFC 9110, section 8.8.3); where it comes from a store, with the store's own id
 * of it and what stands for the value: a store made anew begins with the same ids.
 */
export async function selectionEtag(
  format: string,
  { secrets, missing, expired, skipped, searched }: Selection,
  { unavailable, secrets: listed }: Listed,
): Promise<string> {
  const stored = listed.flatMap(({ name, storeVersion, mark }) => (storeVersion === undefined ? [] : [[name, storeVersion, mark]]));
  const what = [
    ...(stored.length > 0 ? [stored] : []),
    format,
    secrets.map(({ name, label, id, version }) => [name, label, id, version]),
    missing,
    searched,
    expired,
    skipped,
    unavailable,
  ];
  return `"${toBase64url(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(what))))}"`;
}
