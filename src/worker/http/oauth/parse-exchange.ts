import { patternsSchema } from "../../../contract/claims.ts";
import { LIMITS, type LimitFields, limitsOf } from "../../../contract/limits.ts";
import { orgSchema } from "../../../contract/org-name.ts";
import type { Pattern } from "../../../contract/pattern.ts";
import { permissionInputSchema } from "../../../contract/permission.ts";
import { ACCESS_TOKEN_TYPE, exchangeSchema, JWT_TOKEN_TYPE, type OAUTH_ERRORS, TOKEN_EXCHANGE, trustNameSchema } from "../../../contract/trust.ts";
import type { Exchange } from "../../grants/exchange-token.ts";
import type { Narrowing } from "../../grants/narrow-token.ts";

/** Why a request is refused before anything is looked up. */
export interface MalformedExchange {
  readonly error: (typeof OAUTH_ERRORS)[number];
  readonly detail: string;
}

/** One's own token, and what it is to be made narrower to. */
export interface NarrowingExchange {
  readonly ownToken: string;
  readonly narrowing: Omit<Narrowing, "label">;
}

/** The fields of a form. */
type Form = Partial<Record<keyof typeof exchangeSchema.shape, string | undefined>>;

const FIELDS = Object.values(LIMITS).map(({ field }) => field);
const ONLY_NARROWING = [...FIELDS, "expires_in"] as const;
const EXPIRES_IN = /^[1-9]\d{0,7}$/;
const LONGEST = 31_536_000;

/** The token exchange that a form asks for (RFC 8693, section 2.1). */
export function parseExchange(text: string): Exchange | NarrowingExchange | MalformedExchange {
  const { data: sent, error } = exchangeSchema.safeParse(fieldsOf(text));
  if (!sent) return invalidRequest(`Missing or repeated: ${error.issues.map(({ path }) => path.join(".")).join(", ")}.`);
  if (sent.grant_type === "" || sent.subject_token === "" || sent.subject_token_type === "") return invalidRequest("A required parameter is empty.");
  if (sent.grant_type !== TOKEN_EXCHANGE) return { error: "unsupported_grant_type", detail: `grant_type is ${TOKEN_EXCHANGE}.` };
  if (sent.requested_token_type && sent.requested_token_type !== ACCESS_TOKEN_TYPE) return invalidRequest(`requested_token_type is ${ACCESS_TOKEN_TYPE}.`);
  if (sent.subject_token_type === JWT_TOKEN_TYPE) return parseIdentity(sent);
  if (sent.subject_token_type === ACCESS_TOKEN_TYPE) return parseNarrowing(sent);
  return invalidRequest(`subject_token_type is ${JWT_TOKEN_TYPE} or ${ACCESS_TOKEN_TYPE}.`);
}

function parseIdentity(form: Form): Exchange | MalformedExchange {
  const { subject_token: subjectToken = "", audience = "", scope } = form;
  // To leave them out of account would give more than was asked for.
  const other = ONLY_NARROWING.find((field) => form[field] !== undefined);
  if (other !== undefined) return invalidRequest(`${other} makes one's own access token narrower: of an identity token the trust says what it gives.`);
  if (audience === "") return invalidRequest("A required parameter is empty or missing: audience.");
  const [org = "", trust = "", ...rest] = audience.split("/");
  if (!orgSchema.safeParse(org).success || !trustNameSchema.safeParse(trust).success || rest.length > 0)
    return invalidRequest("audience is <org>/<trust name>.");
  // A parameter without a value is one that was left out (RFC 6749, section 3.2).
  return { subjectToken, org, trust, scope: scope || undefined };
}

function parseNarrowing(form: Form): NarrowingExchange | MalformedExchange {
  const { subject_token: ownToken = "", audience = "", scope, expires_in } = form;
  if (audience !== "") return invalidRequest("audience is for identity tokens: one's own access token stays in its organization.");
  // What is left out is the parent's: a variable that is not set must not mean that.
  const empty = (["scope", ...ONLY_NARROWING] as const).find((field) => form[field]?.trim() === "");
  if (empty !== undefined) return invalidRequest(`${empty} is empty: leave it out for what the token itself holds.`);
  const permissions = scope === undefined ? undefined : permissionInputSchema.array().safeParse(words(scope));
  if (permissions?.success === false) return { error: "invalid_scope", detail: "scope is not a list of permissions, with spaces between them." };
  const lists = Object.fromEntries(FIELDS.map((field) => [field, patternsOf(form[field])])) as LimitFields<readonly Pattern[] | null | undefined>;
  const wrong = FIELDS.find((field) => lists[field] === null);
  if (wrong !== undefined) return invalidRequest(`${wrong} is not a list of at most 64 patterns, with spaces between them.`);
  if (expires_in !== undefined && !(EXPIRES_IN.test(expires_in) && Number(expires_in) <= LONGEST))
    return invalidRequest(`expires_in is a number of seconds, 1 to ${LONGEST.toLocaleString("en")}.`);
  const asked = Object.entries(limitsOf(lists)).filter(([, patterns]) => patterns !== null);
  const lasts = expires_in !== undefined && { expiresIn: Number(expires_in) };
  return { ownToken, narrowing: { ...(permissions && { permissions: new Set(permissions.data) }), ...Object.fromEntries(asked), ...lasts } };
}

/** The patterns of a field; `undefined` when it was left out, `null` when they are none. */
function patternsOf(text: string | undefined): readonly Pattern[] | null | undefined {
  return text === undefined ? undefined : (patternsSchema.safeParse(words(text)).data ?? null);
}

function words(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}

function invalidRequest(detail: string): MalformedExchange {
  return { error: "invalid_request", detail };
}

/** A parameter is given once (RFC 6749, section 3.2): one that is repeated is a list here, which no field takes. */
export function fieldsOf(form: string): Record<string, string | string[]> {
  const fields = new URLSearchParams(form);
  return Object.fromEntries([...new Set(fields.keys())].map((name) => [name, only(fields.getAll(name))]));
}

function only(values: string[]): string | string[] {
  const [first, second] = values;
  return first !== undefined && second === undefined ? first : values;
}
