import type { JWTPayload } from "jose";
import type { CallOptions, Reply } from "./call.ts";
import { callWith } from "./call-with.ts";

type Call = (request: string, options?: CallOptions) => Promise<Reply>;

/** Makes requests of a Worker that takes issuers on loopback. */
export const callInsecure = callWith({ ALLOW_INSECURE_ISSUERS: "true" });

export const FORM = {
  grant_type: "urn:ietf:params:oauth:grant-type:token-exchange",
  subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
  audience: "acme/github",
};

/** Asks for an exchange. Parameters are those of a good request but for what is given; `undefined` takes one away. */
export function exchange(subjectToken: string, form: Record<string, string | undefined> = {}, call: Call = callInsecure): Promise<Reply> {
  const sent = Object.entries({ ...FORM, subject_token: subjectToken, ...form }).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return call("POST /oauth/token", { token: null, body: new URLSearchParams(sent) });
}

/** What every refused identity token is answered, whatever is wrong with it. */
export const REFUSED = { error: "invalid_request", error_description: "The subject token is not accepted for this audience." };

/** The claims of a GitHub Actions identity token. */
export function githubClaims(issuer: string): JWTPayload {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    aud: "keyhole",
    sub: "repo:acme/api:ref:refs/heads/main",
    repository: "acme/api",
    repository_owner: "acme",
    repository_id: 42,
    ref: "refs/heads/main",
    ref_protected: "true",
    event_name: "push",
    job_workflow_ref: "acme/api/.github/workflows/deploy.yml@refs/heads/main",
    jti: crypto.randomUUID(),
    nbf: now - 5,
    iat: now,
    exp: now + 300,
  };
}

/** A trust in GitHub Actions of the organization acme. */
export function githubTrust(issuer: string): Record<string, unknown> {
  return {
    issuer,
    audience: "keyhole",
    claims: { repository_owner: "acme", ref: "refs/heads/main", event_name: "push", repository_id: "42", job_workflow_ref: "acme/api/.github/workflows/*" },
    permissions: ["secrets:resolve", "secrets:read"],
    secret_scopes: ["repo:${repository}"],
  };
}
