import * as z from "zod";
import { SECRET_NAME } from "./grammar.ts";

/** Where the name of a secret stands in a text. */
const PLACE = new RegExp(`\\$\\{(${SECRET_NAME})\\}`, "g");

/** A text in which `${NAME}` stands for the value of a secret. */
const templateSchema = z
  .string()
  .min(1)
  .max(1024)
  .regex(/^[\x20-\x7e]*$/, { error: "a credential is written in printable ASCII" })
  .refine((text) => !text.replaceAll(PLACE, "").includes("${"), { error: "`${` begins the name of a secret, as in ${OPENAI_API_KEY}" });
const filledSchema = templateSchema.refine((text) => namesIn(text).length > 0, { error: "the name of a secret is missing, as in ${OPENAI_API_KEY}" });

/** Headers that the connection, the platform or Keyhole itself decides on. */
const NOT_INJECTED = new Set(
  (
    "accept-encoding connection content-encoding content-length content-type cookie date expect host keep-alive origin " +
    "proxy-authorization proxy-connection range referer te trailer transfer-encoding upgrade via user-agent x-http-method-override"
  ).split(" "),
);
const OWN_PREFIXES = /^(?:cf-|x-forwarded-|sec-|keyhole-|access-control-|x-method-override|x-http-method)/;

const headerNameSchema = z
  .string()
  .max(64)
  .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/, { error: "that is no name of a header" })
  .refine((name) => !NOT_INJECTED.has(name.toLowerCase()) && !OWN_PREFIXES.test(name.toLowerCase()), { error: "no credential is sent in this header" });

/** Where an access token is fetched: an address that is written as a URL has it. */
const tokenUrlSchema = z
  .string()
  .max(1000)
  .regex(/^https?:\/\/[^#@\\\s]+$/, { abort: true, error: "a token endpoint is an https:// address without a user and a fragment" })
  .refine((text) => URL.canParse(text) && new URL(text).href === text, { error: "that is not how a URL has this address: small letters in its host, a path" })
  .meta({ example: "https://login.example.com/oauth2/token" });

/** A credential: what is put where into a request. */
export const injectionSchema = z
  .discriminatedUnion("in", [
    z.strictObject({ in: z.literal("header"), name: headerNameSchema, value: filledSchema }),
    z.strictObject({ in: z.literal("query"), name: z.string().regex(/^[A-Za-z0-9_.-]{1,64}$/), value: filledSchema }),
    z
      .strictObject({
        in: z.literal("basic"),
        username: templateSchema.refine((text) => !text.includes(":"), { error: "a user name has no ':'" }),
        password: filledSchema,
      })
      .meta({ description: "The credentials of `Authorization: Basic` (RFC 7617)." }),
    z
      .strictObject({
        in: z.literal("aws-sigv4"),
        access_key_id: templateSchema,
        secret_access_key: filledSchema,
        session_token: filledSchema.optional().meta({ description: "With temporary credentials." }),
        services: z
          .array(z.string().regex(/^[a-z0-9-]{1,40}$/, { error: "a service as AWS's signatures name it, as in s3 or execute-api" }))
          .min(1)
          .max(20)
          .meta({ description: "The services whose requests are signed, as AWS's credential scopes name them." }),
      })
      .meta({
        description: "Signs the request anew with AWS's Signature Version 4: region and service are those of the client's own signature, which is dropped.",
      }),
    z
      .strictObject({
        in: z.literal("oauth2"),
        token_url: tokenUrlSchema,
        client_id: templateSchema,
        client_secret: filledSchema,
        scope: z
          .string()
          .max(1000)
          .regex(/^[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*$/, { error: "scopes, separated by a space (RFC 6749, section 3.3)" })
          .optional(),
      })
      .meta({ description: "A bearer token that is fetched with client credentials (RFC 6749, section 4.4)." }),
  ])
  .meta({ id: "Injection", example: { in: "header", name: "Authorization", value: "Bearer ${OPENAI_API_KEY}" } });
export type Injection = z.output<typeof injectionSchema>;

/** The names of secrets in a text. */
export function namesIn(template: string): string[] {
  return [...template.matchAll(PLACE)].map(([, name = ""]) => name);
}

/** The texts of a credential in which names stand. */
export function templatesOf(injection: Injection): readonly string[] {
  switch (injection.in) {
    case "basic":
      return [injection.username, injection.password];
    case "aws-sigv4":
      return [injection.access_key_id, injection.secret_access_key, ...(injection.session_token === undefined ? [] : [injection.session_token])];
    case "oauth2":
      return [injection.client_id, injection.client_secret];
    default:
      return [injection.value];
  }
}

/** The header that a credential is sent in, in lower case; `null` for a query. */
export function headerOf(injection: Injection): string | null {
  if (injection.in === "query") return null;
  return injection.in === "header" ? injection.name.toLowerCase() : "authorization";
}

/** A template with values in the places of names. */
export function fillTemplate(template: string, valueIn: (name: string) => string): string {
  return template.replaceAll(PLACE, (_, name: string) => valueIn(name));
}
