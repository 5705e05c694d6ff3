import * as z from "zod";
import { jsonVarSchema } from "../../contract/json-var.ts";
import { orgSchema } from "../../contract/org-name.ts";
import { requirePublic } from "./fetch-issuer-document.ts";
import { PUBLIC_KEY_ALGORITHMS } from "./verify-jwt.ts";

/** An issuer whose access tokens a deployment accepts as they are. */
export interface TrustedIssuer {
  readonly issuer: string;
  readonly jwksUrl: string;
  readonly audience: string;
  readonly algorithms: readonly string[];
  /** The organization of all its tokens, or else the claim that names it. */
  readonly org: string | undefined;
  readonly orgClaim: string | undefined;
  /** What its access tokens have as `typ`; `undefined` where that is not said exactly. */
  readonly typ: string | undefined;
  /** How long its tokens may live at the most. */
  readonly maxTtlSeconds: number;
}

/** Types of JWTs that are no access tokens, whoever asks for them. */
const OTHER_TYPES = ["logout+jwt", "secevent+jwt", "dpop+jwt"];

/** Whether a header's `typ` is a type: `application/` may be left out of either, and case is no matter (RFC 7515, section 4.1.9). */
export function isType(typ: string, type: string): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/^application\//, "");
  return plain(typ) === plain(type);
}

const trustedIssuerSchema = (insecure: boolean) =>
  z
    .strictObject({
      issuer: z.string().min(1).max(512),
      // On the field and not on the list: a check of the list would also see entries that another check has refused.
      jwks_url: z
        .url()
        .max(512)
        .refine((address) => insecure || isPublic(address), { error: "https with a public name, unless ALLOW_INSECURE_ISSUERS is true" }),
      audience: z.string().min(1).max(512),
      algorithms: z.array(z.enum(PUBLIC_KEY_ALGORITHMS)).min(1),
      org: orgSchema.optional(),
      org_claim: z.string().min(1).max(128).optional(),
      typ: z
        .string()
        .regex(/^[A-Za-z0-9!#$&^_.+/-]{1,64}$/, { error: "not a media type" })
        .refine((typ) => !OTHER_TYPES.some((other) => isType(typ, other)), { error: "not the type of access tokens" })
        .optional(),
      max_ttl_seconds: z.int().min(60).max(31_536_000).default(86_400),
    })
    .refine(({ org, org_claim }) => (org === undefined) !== (org_claim === undefined), { error: "either org or org_claim" })
    .transform(
      ({ jwks_url, org_claim, org, typ, max_ttl_seconds, ...rest }): TrustedIssuer => ({
        ...rest,
        jwksUrl: jwks_url,
        org,
        orgClaim: org_claim,
        typ,
        maxTtlSeconds: max_ttl_seconds,
      }),
    );

/**
 * The var `TRUSTED_ISSUERS`: a JSON array of `{issuer, jwks_url, audience, algorithms, org | org_claim, typ?, max_ttl_seconds?}`. Algorithms
 * are those with public keys only, so `none` and a shared secret are refused when the Worker starts.
 */
export function trustedIssuersSchema(insecure: boolean) {
  return jsonVarSchema
    .pipe(z.array(trustedIssuerSchema(insecure)))
    .refine((issuers) => new Set(issuers.map(({ issuer }) => issuer)).size === issuers.length, { error: "an issuer is named twice" });
}

function isPublic(address: string): boolean {
  try {
    requirePublic(new URL(address));
    return true;
  } catch {
    return false;
  }
}
