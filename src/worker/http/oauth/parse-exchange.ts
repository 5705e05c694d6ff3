import { orgSchema } from "../../../contract/org-name.ts";
import { ACCESS_TOKEN_TYPE, exchangeSchema, JWT_TOKEN_TYPE, type OAUTH_ERRORS, TOKEN_EXCHANGE, trustNameSchema } from "../../../contract/trust.ts";
import type { Exchange } from "../../grants/exchange-token.ts";

/** Why a request is refused before anything is looked up. */
export interface MalformedExchange {
  readonly error: (typeof OAUTH_ERRORS)[number];
  readonly detail: string;
}

/** The token exchange that a form asks for (RFC 8693, section 2.1). */
export function parseExchange(form: string): Exchange | MalformedExchange {
  const { data: sent, error } = exchangeSchema.safeParse(fieldsOf(form));
  if (!sent) return { error: "invalid_request", detail: `Missing or repeated: ${error.issues.map(({ path }) => path.join(".")).join(", ")}.` };
  // A parameter without a value is one that was left out (RFC 6749, section 3.2).
  const given = Object.fromEntries(Object.entries(sent).filter(([, value]) => value !== "")) as Partial<typeof sent>;
  const { grant_type, subject_token, subject_token_type, audience } = given;
  if (!grant_type || !subject_token || !subject_token_type || !audience) return { error: "invalid_request", detail: "A required parameter is empty." };
  if (grant_type !== TOKEN_EXCHANGE) return { error: "unsupported_grant_type", detail: `grant_type is ${TOKEN_EXCHANGE}.` };
  if (subject_token_type !== JWT_TOKEN_TYPE) return { error: "invalid_request", detail: `subject_token_type is ${JWT_TOKEN_TYPE}.` };
  if (given.requested_token_type !== undefined && given.requested_token_type !== ACCESS_TOKEN_TYPE)
    return { error: "invalid_request", detail: `requested_token_type is ${ACCESS_TOKEN_TYPE}.` };
  const [org, trust, ...rest] = audience.split("/");
  if (!orgSchema.safeParse(org).success || !trustNameSchema.safeParse(trust).success || rest.length > 0)
    return { error: "invalid_request", detail: "audience is <org>/<trust name>." };
  return { subjectToken: subject_token, org: org ?? "", trust: trust ?? "", scope: given.scope };
}

/** A parameter is given once (RFC 6749, section 3.2): one that is repeated is a list here, which no field takes. */
function fieldsOf(form: string): Record<string, string | string[]> {
  const fields = new URLSearchParams(form);
  return Object.fromEntries([...new Set(fields.keys())].map((name) => [name, only(fields.getAll(name))]));
}

function only(values: string[]): string | string[] {
  const [first, second] = values;
  return first !== undefined && second === undefined ? first : values;
}
