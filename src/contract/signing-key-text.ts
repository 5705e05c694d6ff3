import * as z from "zod";

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const jwkShape = {
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: coordinate,
  kid: z.string().min(1).max(128).optional(),
};
const privateJwkSchema = z.looseObject({ ...jwkShape, d: coordinate, retired: z.literal(false).optional() });
const retiredJwkSchema = z.looseObject({ ...jwkShape, d: z.undefined().optional(), retired: z.literal(true) });
const keySetSchema = z.looseObject({
  keys: z.tuple([privateJwkSchema], z.union([privateJwkSchema, retiredJwkSchema])),
  alone: z.boolean().optional(),
});
const signingKeySchema = z.union([keySetSchema, privateJwkSchema.transform((jwk) => ({ keys: [jwk] as z.infer<typeof keySetSchema>["keys"] }))]);

/** A private Ed25519 key as a JWK (RFC 8037). */
export type PrivateJwk = z.infer<typeof privateJwkSchema>;
/** What is left of a signing key that is retired: its public half. */
export type RetiredJwk = z.infer<typeof retiredJwkSchema>;

/** What `SIGNING_KEY` or `LOG_KEY` says: the first key signs. */
export interface SigningKeyText {
  readonly keys: readonly [PrivateJwk, ...(PrivateJwk | RetiredJwk)[]];
  /** Of `LOG_KEY`: whether the keys of tokens verify nothing about the log. */
  readonly alone?: boolean | undefined;
}

/**
 * Parses `SIGNING_KEY` or `LOG_KEY`: one private Ed25519 JWK (RFC 8037), or a JWK Set of them, in which later ones may be
 * public halves with `"retired": true`. `undefined` for anything else.
 */
export function parseSigningKeyText(text: string): SigningKeyText | undefined {
  return signingKeySchema.safeParse(parseJson(text)).data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
