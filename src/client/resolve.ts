import { BASE64_HEADER, parseBase64Names } from "../contract/base64-names.ts";
import { EMPTY_SCOPES_HEADER, parseEmptyScopes } from "../contract/empty-scopes.ts";
import { LEFT_OUT_HEADER, type LeftOut, parseLeftOut } from "../contract/left-out.ts";
import {
  type Explanation,
  envReplySchema,
  explainReplySchema,
  type ResolveFormat,
  type ResolveOneReply,
  type ResolveReply,
  type ResolveRequest,
  resolveOneReplySchema,
  resolveReplySchema,
  type VariableFormat,
} from "../contract/resolve.ts";
import type { Keeping } from "./keeping.ts";
import { type AskService, keptCalls } from "./kept-calls.ts";
import { expectOwn, readBytes, readReply, readText } from "./read-reply.ts";
import type { CallOptions, Send } from "./send.ts";

/** Where to look. */
export interface Where extends CallOptions {
  readonly scopes?: readonly string[] | undefined;
}

/** What a call takes whose answer may be kept. */
export type KeepingOptions = CallOptions & Keeping;
/** For values by variable, whose reply has no place for what is not in it. */
export interface VariableOptions extends CallOptions {
  /** Called before the call returns, where names are left out; of very many the first, and how many `more` there are. */
  readonly onLeftOut?: ((names: readonly LeftOut[], more: number) => void) | undefined;
  /** Called before the call returns, where variables are base64 of bytes, with their names; of very many the first, and how many `more` there are. */
  readonly onBase64?: ((names: readonly string[], more: number) => void) | undefined;
}

/** What is told the scopes that nobody has declared or used; what it throws is what the call throws. */
export type OnEmptyScopes = (scopes: readonly string[]) => void | Promise<void>;

/** How values leave. Each of these calls is in the audit log before its reply is sent; all of them are retried. */
export function resolveCalls(sendAny: Send, keeping: Keeping, onEmptyScopes?: OnEmptyScopes) {
  const send: Send = async (request) => {
    const reply = await sendAny(request);
    const empty = parseEmptyScopes(reply.headers.get(EMPTY_SCOPES_HEADER));
    if (empty.length > 0) await onEmptyScopes?.(empty);
    return reply;
  };
  const post = (request: ResolveRequest, format: ResolveFormat, options: AskService) =>
    send({ method: "POST", path: "/v1/resolve", query: { format }, json: request, repeatable: true, ...options });
  const variables = async (request: ResolveRequest, format: VariableFormat, { onLeftOut, onBase64, ...options }: VariableOptions) => {
    const reply = await post(request, format, options);
    const { names, more } = parseLeftOut(reply.headers.get(LEFT_OUT_HEADER));
    if (names.length > 0) onLeftOut?.(names, more);
    const base64 = parseBase64Names(reply.headers.get(BASE64_HEADER));
    if (base64.names.length > 0) onBase64?.(base64.names, base64.more);
    return reply;
  };
  const one = (kind: "resolve" | "explain", name: string, { scopes, ...options }: AskService & Pick<Where, "scopes">, format?: "raw") =>
    send({ method: "GET", path: `/v1/${kind}/${encodeURIComponent(name)}`, query: { scope: scopes, format }, ...options });
  const keptAll = keptCalls<ResolveReply>(keeping);
  const keptOne = keptCalls<ResolveOneReply>(keeping);

  return {
    /** The values by name, with where each came from. A name that is nowhere is `secret-not-found`, unless `allow_missing`. */
    async resolve(request: ResolveRequest = {}, options: KeepingOptions = {}): Promise<ResolveReply> {
      return keptAll.call(request, options, async (asking) => readReply(await post(request, "json", asking), resolveReplySchema));
    },
    /** The values by environment name. Bytes are base64, and `onBase64` says which. Reserved variables are left out. */
    async resolveEnv(request: ResolveRequest = {}, options: VariableOptions = {}): Promise<Record<string, string>> {
      return readReply(await variables(request, "env", options), envReplySchema);
    },
    /** The values as a file of `NAME=value` lines for `docker run --env-file`. */
    async resolveEnvFile(request: ResolveRequest = {}, options: VariableOptions = {}): Promise<string> {
      return readText(await expectOwn(await variables(request, "docker", options), ["text/plain"]));
    },
    /** The values as a `.env` file that dotenv, python-dotenv, godotenv, Node and `sh` read back exactly. */
    async resolveDotenv(request: ResolveRequest = {}, options: VariableOptions = {}): Promise<string> {
      return readText(await expectOwn(await variables(request, "dotenv", options), ["text/plain"]));
    },
    /** One value with where it came from. */
    async resolveOne(name: string, { scopes, ...options }: Where & Keeping = {}): Promise<ResolveOneReply> {
      return keptOne.call([name, scopes], options, async (asking) => readReply(await one("resolve", name, { scopes, ...asking }), resolveOneReplySchema));
    },
    /** One value, its exact bytes. */
    async resolveRaw(name: string, where: Where = {}): Promise<Uint8Array> {
      return readBytes(await expectOwn(await one("resolve", name, where, "raw"), ["text/plain", "application/octet-stream"]));
    },
    /** Where a name would come from, without its value. */
    async explain(name: string, where: Where = {}): Promise<Explanation> {
      return readReply(await one("explain", name, where), explainReplySchema);
    },
    /** Forgets every answer that is kept, and every one that is on its way: who asks from now on is answered by the service. */
    refresh(): void {
      keptAll.refresh();
      keptOne.refresh();
    },
  };
}

export type ResolveCalls = ReturnType<typeof resolveCalls>;
