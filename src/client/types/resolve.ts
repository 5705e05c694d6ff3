import type { LeftOut } from "../../contract/left-out.ts";
import type { Unavailable } from "../../contract/unavailable-reasons.ts";
import type { CallOptions } from "./calls.ts";
import type { Keeping } from "./keeping.ts";
import type { Encoding } from "./secrets.ts";

/** What to resolve. Scopes left out: those of the token's grant. Names left out: everything that applies. */
export interface ResolveRequest {
  /** At most one scope of each kind. */
  scopes?: readonly string[] | undefined;
  /** Up to 100 names. */
  names?: readonly string[] | undefined;
  /** List the names asked for that are missing, expired or not to be had now, instead of failing. */
  allow_missing?: boolean | undefined;
  /** `false`: search only the scopes given. */
  inherit?: boolean | undefined;
}

/** The lease under which an answer was given: there where one was asked for. */
export interface LeaseReply {
  /** The audit events about it have the same. */
  id: string;
  /** Until when the same caller may be given the same again. */
  until: string;
  /** The seconds until then, for clocks that differ. */
  expires_in: number;
}

/** A value with where it came from. */
export interface ReleasedSecret {
  /** Written as `encoding` says. */
  value: string;
  encoding: Encoding;
  /** A scope, or `builtin`. */
  scope: string;
  id: string;
  version: number;
  /** Of a value that comes from a store: the store's own id of its version. */
  store_version?: string | undefined;
}

/** The values by name, and what has none. */
export interface ResolveReply {
  secrets: Record<string, ReleasedSecret>;
  /** What was asked for and is nowhere, or has expired. */
  missing: string[];
  /** What would be here if it had not expired, where no names were asked for. */
  expired?: string[] | undefined;
  /** What would be here if its value could be had. */
  unavailable?: Unavailable[] | undefined;
  /** What is here and never becomes an environment variable, because the variable is reserved. */
  skipped?: string[] | undefined;
  /** The scopes searched, in order. */
  searched: string[];
  lease?: LeaseReply | undefined;
}

/** What a resolve gives to whoever has an earlier answer. */
export interface ChangedReply {
  /** The entity tag of what would be given. */
  readonly etag: string;
  /** `undefined` where it is what the caller has already. */
  readonly reply: ResolveReply | undefined;
}

/** What a call takes that asks whether an answer is another by now. */
export interface ChangeOptions extends CallOptions {
  /** The `etag` of the answer that the caller has. */
  readonly held?: string | undefined;
  /** Seconds: under a lease of that many the service need not put each of these calls on record. */
  readonly maxAge?: number | undefined;
}

/** One value with where it came from. */
export interface ResolveOneReply extends ReleasedSecret {
  name: string;
  lease?: LeaseReply | undefined;
}

/** One scope that is searched for a name, and what is there. */
export interface Candidate {
  scope: string;
  found: boolean;
  id?: string | undefined;
  version?: number | undefined;
  expired?: boolean | undefined;
  /** `true` where it wins over every narrower scope. */
  locked?: boolean | undefined;
}

/** Where a name would come from, in search order, without its value. */
export interface Explanation {
  name: string;
  /** What a resolve would use, or `null`. It may have expired: then a resolve answers 410. */
  winner: { scope: string; id: string; version: number } | null;
  candidates: Candidate[];
  /** A scope that is not searched and locks the name: there is no winner, and a resolve answers 422. */
  locked_by?: string | undefined;
}

/** Where to look. */
export interface Where extends CallOptions {
  readonly scopes?: readonly string[] | undefined;
}

/** What a call takes whose answer may be kept. */
export interface KeepingOptions extends CallOptions, Keeping {}

/** For values by variable, whose reply has no place for what is not in it. */
export interface VariableOptions extends CallOptions {
  /** Called before the call returns, where names are left out; of very many the first, and how many `more` there are. */
  readonly onLeftOut?: ((names: readonly LeftOut[], more: number) => void) | undefined;
  /** Called before the call returns, where variables are base64 of bytes, with their names; of very many the first, and how many `more` there are. */
  readonly onBase64?: ((names: readonly string[], more: number) => void) | undefined;
}

/** Where the secrets of a configuration are looked for, and what becomes of a reference that has keys beside it. */
export interface RefOptions extends KeepingOptions, Pick<ResolveRequest, "scopes" | "inherit"> {
  /** The key under which the value takes the place of such a reference; `api_key` unless told. */
  readonly as?: string | undefined;
}

/** What is told the scopes that nobody has declared or used; what it throws is what the call throws. */
export type OnEmptyScopes = (scopes: readonly string[]) => void | Promise<void>;

/** How values leave. Each of these calls is in the audit log before its reply is sent; all of them are retried. */
export interface ResolveCalls {
  /**
   * The values by name, with where each came from. A name that is nowhere is `secret-not-found`, unless `allow_missing`.
   *
   * @example
   * const { secrets } = await client.resolve({ scopes: ["repo:acme/api", "namespace:prod"], names: ["DATABASE_URL"] });
   */
  resolve(request?: ResolveRequest, options?: KeepingOptions): Promise<ResolveReply>;
  /**
   * The same, for whoever asks again and again: values come only where they are others than those that the caller has. Nothing is kept.
   *
   * @example
   * let { etag: held } = await client.resolveIfChanged(request, { maxAge: 60 });
   * const { etag, reply } = await client.resolveIfChanged(request, { held, maxAge: 60 });
   * if (reply !== undefined) [held, secrets] = [etag, reply.secrets];
   */
  resolveIfChanged(request?: ResolveRequest, options?: ChangeOptions): Promise<ChangedReply>;
  /**
   * The values by environment name. Bytes are base64, and `onBase64` says which. Reserved variables are left out.
   *
   * @example
   * const environment = await client.resolveEnv({ scopes: ["namespace:prod"] });
   */
  resolveEnv(request?: ResolveRequest, options?: VariableOptions): Promise<Record<string, string>>;
  /**
   * The values as a file of `NAME=value` lines for `docker run --env-file`.
   *
   * @example
   * await writeFile("prod.env", await client.resolveEnvFile({ scopes: ["namespace:prod"] }), { mode: 0o600 });
   */
  resolveEnvFile(request?: ResolveRequest, options?: VariableOptions): Promise<string>;
  /**
   * The values as a `.env` file that dotenv, python-dotenv, godotenv, Node and `sh` read back exactly.
   *
   * @example
   * await writeFile(".env", await client.resolveDotenv(), { mode: 0o600 });
   */
  resolveDotenv(request?: ResolveRequest, options?: VariableOptions): Promise<string>;
  /**
   * One value with where it came from.
   *
   * @example
   * const { value, scope } = await client.resolveOne("OPENAI_API_KEY", { scopes: ["namespace:prod"], maxAge: 60 });
   */
  resolveOne(name: string, where?: Where & Keeping): Promise<ResolveOneReply>;
  /**
   * One value, its exact bytes.
   *
   * @example
   * const certificate = await client.resolveRaw("TLS_CERTIFICATE", { scopes: ["namespace:prod"] });
   */
  resolveRaw(name: string, where?: Where): Promise<Uint8Array>;
  /**
   * Where a name would come from, without its value.
   *
   * @example
   * const { winner } = await client.explain("OPENAI_API_KEY", { scopes: ["repo:acme/api"] });
   */
  explain(name: string, where?: Where): Promise<Explanation>;
  /**
   * Forgets every answer that is kept, and every one that is on its way: who asks from now on is answered by the service.
   *
   * @example
   * client.refresh();
   */
  refresh(): void;
}
