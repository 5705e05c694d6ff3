import { problemSchema } from "../../../contract/problem.ts";
import type { ApiAbout } from "./api-document.ts";
import { problems, sharedResponses } from "./responses.ts";

const info = {
  title: "Keyhole",
  version: "1",
  license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  description: [
    "A secrets service at the edge. People write values and never read them back; a token with `secrets:resolve` gets the values it needs at run time, and every release is on record.",
    "A scope in a path is one percent-encoded segment: `repo%3Aacme%2Fapi`. Fields that a body does not have are refused. HEAD works wherever GET does. Bodies have at most 1 MiB, values 1 to 65,536 bytes.",
    "Errors are RFC 9457 problem details with a stable `code`. Times are RFC 3339 UTC with milliseconds. Every `/v1` reply has `Cache-Control: no-store` and `X-Request-Id`.",
  ].join("\n\n"),
};

const tags = [
  { name: "Secrets", description: "What people write, and what they may read of it." },
  { name: "Versions", description: "What a secret's values were, and which is current." },
  { name: "Scopes", description: "Where secrets apply, and which scope lies under which." },
  { name: "Resolve", description: "How values leave." },
  { name: "Tokens", description: "What CI, gateways and agents carry." },
  { name: "Trusts", description: "Whose identity tokens are exchanged for Keyhole's, so that nothing is stored." },
  { name: "Logins", description: "By which OpenID providers people log in, and what they may then." },
  { name: "Services", description: "What agents use without holding the credential." },
  { name: "Stores", description: "Places outside where values live, and how they know who asks." },
  { name: "Webhooks", description: "Who is told of what happens." },
  { name: "Audit", description: "Who did what, when; and that nobody has bent the log since." },
  { name: "Quotas", description: "What an organization has, and may have." },
  { name: "Keys", description: "The keyring, and how a rotation is coming along." },
  { name: "Backup", description: "All organizations' rows, sealed as they are, and putting them into an empty deployment." },
  { name: "System", description: "Health, readiness, public keys, this description." },
];

const securityScheme = {
  type: "http" as const,
  scheme: "bearer",
  bearerFormat: "JWT",
  description: "An access token of Keyhole's own, or of an issuer that the deployment trusts. An operation names the permission that the token must carry.",
};

/** What is said of Keyhole's own API as a whole. */
export const NATIVE_API: ApiAbout = { info, tags, securityScheme, errorSchema: problemSchema, problems, sharedResponses };
