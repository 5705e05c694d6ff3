import { BASE64_HEADER, parseBase64Names } from "../contract/base64-names.ts";
import { EMPTY_SCOPES_HEADER, parseEmptyScopes } from "../contract/empty-scopes.ts";
import { variableOf } from "../contract/grammar.ts";
import { LEFT_OUT_HEADER, parseLeftOut } from "../contract/left-out.ts";
import { type AskService, keptCalls } from "./kept-calls.ts";
import { KeyholeError } from "./keyhole-error.ts";
import { expectOwn, readBytes, readReply, readText, tagOf } from "./read-reply.ts";
import { envReply, explanation, resolveOneReply, resolveReply } from "./readers/resolve.ts";
import type { Send } from "./send.ts";
import type { Keeping } from "./types/keeping.ts";
import type {
  ChangedReply,
  ChangeOptions,
  Explanation,
  KeepingOptions,
  OnEmptyScopes,
  ResolveCalls,
  ResolveOneReply,
  ResolveReply,
  ResolveRequest,
  VariableOptions,
  Where,
} from "./types/resolve.ts";

/** The forms of a reply that hold environment variables. */
type VariableFormat = "env" | "dotenv" | "docker";

/** How values leave. Each of these calls is in the audit log before its reply is sent; all of them are retried. */
export function resolveCalls(sendAny: Send, keeping: Keeping, onEmptyScopes?: OnEmptyScopes): ResolveCalls {
  const send: Send = async (request) => {
    const reply = await sendAny(request);
    const empty = parseEmptyScopes(reply.headers.get(EMPTY_SCOPES_HEADER));
    if (empty.length > 0) await onEmptyScopes?.(empty);
    return reply;
  };
  const post = (request: ResolveRequest, format: "json" | VariableFormat, options: AskService) =>
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
    async resolve(request: ResolveRequest = {}, options: KeepingOptions = {}): Promise<ResolveReply> {
      return keptAll.call(request, options, async (asking) => readReply(await post(request, "json", asking), resolveReply));
    },
    async resolveIfChanged(request: ResolveRequest = {}, { held, maxAge, signal }: ChangeOptions = {}): Promise<ChangedReply> {
      const headers = { "If-None-Match": held, "Cache-Control": maxAge === undefined ? undefined : `max-age=${maxAge}` };
      const reply = await send({ method: "POST", path: "/v1/resolve", query: { format: "json" }, json: request, repeatable: true, headers, signal });
      const etag = tagOf(reply);
      return { etag, reply: held !== undefined && reply.status === 304 ? undefined : await readReply(reply, resolveReply) };
    },
    async resolveEnv(request: ResolveRequest = {}, options: VariableOptions = {}): Promise<Record<string, string>> {
      return onlyAsked(request, await readReply(await variables(request, "env", options), envReply));
    },
    async resolveEnvFile(request: ResolveRequest = {}, options: VariableOptions = {}): Promise<string> {
      return readText(await expectOwn(await variables(request, "docker", options), ["text/plain"]));
    },
    async resolveDotenv(request: ResolveRequest = {}, options: VariableOptions = {}): Promise<string> {
      return readText(await expectOwn(await variables(request, "dotenv", options), ["text/plain"]));
    },
    async resolveOne(name: string, { scopes, ...options }: Where & Keeping = {}): Promise<ResolveOneReply> {
      return keptOne.call([name, scopes], options, async (asking) => readReply(await one("resolve", name, { scopes, ...asking }), resolveOneReply));
    },
    async resolveRaw(name: string, where: Where = {}): Promise<Uint8Array> {
      return readBytes(await expectOwn(await one("resolve", name, where, "raw"), ["text/plain", "application/octet-stream"]));
    },
    async explain(name: string, where: Where = {}): Promise<Explanation> {
      return readReply(await one("explain", name, where), explanation);
    },
    refresh(): void {
      keptAll.refresh();
      keptOne.refresh();
    },
  };
}

/** What a variable is called. Others could be several lines of a file, or several variables. */
const IS_VARIABLE = /^[A-Z_][A-Z0-9_]*$/;

/** A service gives no program what is no variable, nor one that it did not ask for, whatever it takes the names to be. */
function onlyAsked({ names }: ResolveRequest, variables: Record<string, string>): Record<string, string> {
  const asked = names && new Set(names.map((name) => variableOf(name)));
  if (Object.keys(variables).every((name) => IS_VARIABLE.test(name) && (asked?.has(name) ?? true))) return variables;
  throw new KeyholeError("unexpected-reply", "The reply has variables that were not asked for, or names that are none of variables.");
}
