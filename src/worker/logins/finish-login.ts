import {
  AuthorizationResponseError,
  type AuthorizationServer,
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  type Client,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  type CustomFetchOptions,
  clockTolerance,
  customFetch,
  None,
  OperationProcessingError,
  processAuthorizationCodeResponse,
  ResponseBodyError,
  UnsupportedOperationError,
  validateAuthResponse,
  WWWAuthenticateChallengeError,
} from "oauth4webapi";
import { IssuerError } from "../access/fetch-issuer-document.ts";
import { CLOCK_TOLERANCE } from "../access/verify-jwt.ts";
import { type Exchanged, type ExchangeNeeds, exchangeToken } from "../grants/exchange-token.ts";
import { callOut } from "../outgoing/call-out.ts";
import type { OutgoingCall } from "../outgoing/fetch-outward.ts";
import { OutgoingError } from "../outgoing/outgoing-error.ts";
import { readUpTo } from "../outgoing/read-up-to.ts";
import { type FindNeeds, findLogin, type Login } from "./find-login.ts";
import { LoginError } from "./login-error.ts";
import { type LoginProvider, loginProvider, type ProviderAccess, providerRules } from "./login-provider.ts";
import { loginSecret, type SecretNeeds } from "./login-secret.ts";
import type { LoginState } from "./login-state.ts";
import { takeTurn } from "./take-turn.ts";

/** What finishing a login needs. */
export type FinishNeeds = FindNeeds & ProviderAccess & SecretNeeds & ExchangeNeeds;

const MAX_BYTES = 262_144;
const TIMEOUT = 5_000;

/**
 * Finishes a login: takes what the provider sent the browser back with, asks the provider for the identity token, and exchanges that, once, as
 * the login's rules say.
 *
 * @param begun What the browser kept.
 * @param sent The query that it came back with.
 * @param callback The address that it came back to.
 * @throws {LoginError} when the answer is not the provider's to this login.
 * @throws {ExchangeError} when the rules do not let this person in.
 * @throws {IssuerError} when the provider cannot be reached.
 * @throws {Problem} `rate-limited`, `integrity-failed`, `storage-unavailable`.
 */
export async function finishLogin(needs: FinishNeeds, begun: LoginState, sent: URLSearchParams, callback: string): Promise<Exchanged> {
  const login = await findLogin(needs, begun.org, begun.login);
  // By another revision the browser may have been sent to another provider.
  if (login.row.revision !== begun.revision) throw new LoginError("login-mixed-up");
  const provider = await loginProvider(needs, login.row.issuer);
  const parameters = answerIn(provider, login, sent, begun.state);
  const giveBack = takeTurn(needs, login);
  const identity = await identityFrom(needs, provider, login, { begun, parameters, callback });
  const { org, name } = login.row;
  const exchanged = await exchangeToken(needs, { subjectToken: identity, org, trust: name, scope: undefined }, "login");
  giveBack();
  return exchanged;
}

/** What the provider says, if it is this one and about this login (RFC 9207). */
function answerIn(provider: LoginProvider, { row }: Login, sent: URLSearchParams, state: string): URLSearchParams {
  try {
    const parameters = validateAuthResponse(provider, { client_id: row.audience }, sent, state);
    // The library would find that only after the client's secret is released.
    if (sent.getAll("code").length !== 1 || sent.get("code") === "") throw new LoginError("login-answer-invalid");
    return parameters;
  } catch (error) {
    if (error instanceof AuthorizationResponseError) throw new LoginError("login-denied");
    if (error instanceof OperationProcessingError || error instanceof UnsupportedOperationError) throw new LoginError("login-mixed-up");
    throw error;
  }
}

interface Answer {
  readonly begun: LoginState;
  readonly parameters: URLSearchParams;
  readonly callback: string;
}

async function identityFrom(needs: FinishNeeds, provider: LoginProvider, login: Login, { begun, parameters, callback }: Answer): Promise<string> {
  const secret = await loginSecret(needs, needs.origin, login, new URL(provider.token_endpoint).hostname);
  const client: Client = { client_id: login.row.audience, [clockTolerance]: CLOCK_TOLERANCE };
  try {
    const reply = await authorizationCodeGrantRequest(provider, client, proofOf(provider, secret), parameters, callback, begun.verifier, {
      [customFetch]: (url, options) => ask(needs, url, options),
      [allowInsecureRequests]: needs.insecureIssuers,
    });
    const { id_token } = await processAuthorizationCodeResponse(provider, client, reply, { expectedNonce: begun.nonce, requireIdToken: true });
    if (id_token === undefined) throw new LoginError("login-answer-invalid");
    return id_token;
  } catch (error) {
    if (isOfProvider(error)) throw new LoginError("login-answer-invalid");
    if (error instanceof OutgoingError)
      throw new IssuerError(error.refusal === "too-slow" || error.refusal === "ended" ? "issuer-too-slow" : "issuer-unreachable");
    throw error;
  }
}

/** What the library throws about a reply. What it says may hold some of that, and goes no further. */
function isOfProvider(error: unknown): boolean {
  return [OperationProcessingError, UnsupportedOperationError, ResponseBodyError, WWWAuthenticateChallengeError].some((kind) => error instanceof kind);
}

/** How the client proves who it is: as the provider takes it, in a header unless it says otherwise (OpenID Connect Discovery 1.0, section 3). */
function proofOf({ token_endpoint_auth_methods_supported: taken }: AuthorizationServer, secret: string | undefined): ClientAuth {
  if (secret === undefined) return None();
  return taken && !taken.includes("client_secret_basic") && taken.includes("client_secret_post") ? ClientSecretPost(secret) : ClientSecretBasic(secret);
}

/** The one call of the library: no redirect is followed, and of a reply at most 256 KiB are read. */
async function ask(access: ProviderAccess, address: string, { method, headers, body }: CustomFetchOptions<"POST", URLSearchParams>): Promise<Response> {
  const sent = new Headers(headers);
  sent.set("Content-Type", "application/x-www-form-urlencoded");
  const call = { url: new URL(address), method, headers: sent, body: body.toString(), firstByte: TIMEOUT, whole: TIMEOUT };
  const { status, type, bytes } = await answered(access, call);
  if (!bytes) throw new LoginError("login-answer-invalid");
  return new Response(bytes.length === 0 ? null : bytes, { status, ...(type !== null && { headers: { "Content-Type": type } }) });
}

/** What the provider answers; `bytes` is `undefined` for too many of them. */
async function answered(
  access: ProviderAccess,
  call: OutgoingCall,
): Promise<{ status: number; type: string | null; bytes: Uint8Array<ArrayBuffer> | undefined }> {
  try {
    const reply = await callOut(providerRules(access), call);
    return { status: reply.status, type: reply.headers.get("Content-Type"), bytes: await readUpTo(reply.body, MAX_BYTES) };
  } catch (cause) {
    // A body that breaks off, or comes too late, is the platform's own error.
    const late =
      cause instanceof OutgoingError ? cause.refusal === "too-slow" || cause.refusal === "ended" : cause instanceof Error && cause.name === "TimeoutError";
    throw new IssuerError(late ? "issuer-too-slow" : "issuer-unreachable", { cause });
  }
}
