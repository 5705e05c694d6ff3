import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, type JWK, type JWTPayload, jwtVerify } from "jose";
import { AzureError } from "./azure-error.ts";
import type { FakeAzure } from "./fake-azure.ts";

/** An app that a tenant knows, and by what. */
export interface EntraApp {
  readonly secrets?: string[];
  /** The public key of each certificate, by its thumbprint in base64url: SHA-1 or SHA-256. */
  readonly certificates?: Readonly<Record<string, CryptoKey>>;
  /** Whose tokens stand for it. */
  readonly federated?: { readonly issuer: string; readonly subject: string; readonly keys: () => JWK[] };
}

/** Which signatures Entra takes: no ES256. */
const ALGORITHMS = ["RS256", "PS256"];
const ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** Gives an access token to an app (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow). */
export async function giveToken(azure: FakeAzure, form: URLSearchParams): Promise<object> {
  if (form.get("grant_type") !== "client_credentials") throw refusal(400, "unsupported_grant_type", "AADSTS70003: The grant is not supported.");
  if (form.get("scope") !== "https://vault.azure.net/.default") throw refusal(400, "invalid_scope", "AADSTS70011: The scope is not valid.");
  const id = form.get("client_id") ?? "";
  const app = azure.apps.get(id);
  if (!app) throw refusal(400, "unauthorized_client", `AADSTS700016: Application '${id}' was not found in the directory.`);
  if (form.has("client_assertion")) await requireAssertion(azure, id, app, form);
  else if (!app.secrets?.includes(form.get("client_secret") ?? "")) throw refusal(401, "invalid_client", "AADSTS7000215: Invalid client secret provided.");
  const token = `eyJ0eXAiOiJKV1QifQ.${crypto.randomUUID()}.x`;
  azure.tokens.set(token, azure.now() + 3_599_000);
  azure.asked.push("token");
  return { token_type: "Bearer", expires_in: 3599, ext_expires_in: 3599, access_token: token };
}

async function requireAssertion(azure: FakeAzure, id: string, app: EntraApp, form: URLSearchParams): Promise<void> {
  const assertion = form.get("client_assertion") ?? "";
  if (form.get("client_assertion_type") !== ASSERTION) throw refusal(400, "invalid_request", "AADSTS900144: client_assertion_type");
  const { alg = "", x5t, "x5t#S256": x5t256 } = decodeProtectedHeader(assertion) as { alg?: string; x5t?: string; "x5t#S256"?: string };
  if (!ALGORITHMS.includes(alg)) throw refusal(401, "invalid_client", `AADSTS5002738: '${alg}' is not a supported signature algorithm.`);
  const certificate = app.certificates?.[x5t256 ?? x5t ?? ""];
  const endpoint = new URL(`/${azure.tenant}/oauth2/v2.0/token`, azure.authority).href;
  const currentDate = new Date(azure.now());
  const { iss } = decodeJwt(assertion);
  try {
    if (iss === id && certificate) {
      const { payload } = await jwtVerify(assertion, certificate, { issuer: id, subject: id, audience: endpoint, currentDate });
      return requireShort(payload);
    }
    if (!app.federated) throw new Error("no such issuer");
    const { issuer, subject, keys } = app.federated;
    const set = createLocalJWKSet({ keys: keys() });
    const { payload } = await jwtVerify(assertion, set, { issuer, subject, audience: "api://AzureADTokenExchange", currentDate });
    requireShort(payload);
  } catch {
    throw refusal(401, "invalid_client", "AADSTS700027: The client assertion could not be verified.");
  }
}

function requireShort({ exp, jti }: JWTPayload): void {
  if (exp === undefined || jti === undefined) throw new Error("no end, or no id");
}

function refusal(status: number, error: string, description: string): AzureError {
  return new AzureError(status, {
    error,
    error_description: description,
    error_codes: [Number(/\d+/.exec(description)?.[0])],
    trace_id: "0",
    correlation_id: "0",
  });
}
