import * as z from "zod";

const number = z.string().regex(/^[A-Za-z0-9_-]{1,1024}$/);
/** At least 2048 bits: AWS and Entra take no fewer. */
const modulus = z.string().regex(/^[A-Za-z0-9_-]{342,1024}$/);
const publicShape = { kty: z.literal("RSA"), n: modulus, e: number, kid: z.string().min(1).max(128).optional() };
const privateJwkSchema = z.looseObject({ ...publicShape, d: number, p: number, q: number, dp: number, dq: number, qi: number });
const publicJwkSchema = z.looseObject({ ...publicShape, d: z.undefined().optional() });
const keySetSchema = z.looseObject({ keys: z.tuple([privateJwkSchema], z.union([privateJwkSchema, publicJwkSchema])) });
const oidcKeySchema = z.union([keySetSchema, privateJwkSchema.transform((jwk) => ({ keys: [jwk] as z.infer<typeof keySetSchema>["keys"] }))]);

/** A private RSA key as a JWK (RFC 7518, section 6.3). */
export type PrivateRsaJwk = z.infer<typeof privateJwkSchema>;
/** What is left of one that signs no more. */
export type PublicRsaJwk = z.infer<typeof publicJwkSchema>;

/** What `OIDC_KEY` says: the first key signs, all are published. */
export interface OidcKeyText {
  readonly keys: readonly [PrivateRsaJwk, ...(PrivateRsaJwk | PublicRsaJwk)[]];
}

/** Parses `OIDC_KEY`: one private RSA JWK, or a JWK Set of them, in which later ones may be public halves. `undefined` for anything else. */
export function parseOidcKeyText(text: string): OidcKeyText | undefined {
  try {
    return oidcKeySchema.safeParse(JSON.parse(text)).data;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
