import * as z from "zod";

/** The one client of the authorization endpoint: the command line, which keeps no secret. */
export const CLI_CLIENT = "keyhole-cli";

export const AUTHORIZATION_CODE = "authorization_code";
export const DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code";

/** Where a code may be sent: to a program on the same machine, by its address and not by a name (RFC 8252, section 7.3). */
export const redirectUriSchema = z
  .string()
  .regex(/^http:\/\/127\.0\.0\.1:[1-9]\d{0,4}\/callback$/, { error: "http://127.0.0.1:<port>/callback" })
  .refine((text) => URL.canParse(text) && new URL(text).href === text, { error: "http://127.0.0.1:<port>/callback" });

/** PKCE's challenge, by S256 (RFC 7636, section 4.2). */
export const codeChallengeSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/, { error: "the SHA-256 of the verifier, in base64url" });
/** PKCE's verifier (RFC 7636, section 4.1). */
const codeVerifierSchema = z.string().regex(/^[A-Za-z0-9._~-]{43,128}$/);

/** A secret of 256 random bits, as codes are. */
export const codeSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** What a person reads on one screen and types on another: no vowels, so that it is no word (RFC 8628, section 6.1). */
const USER_CODE_LETTERS = "BCDFGHJKLMNPQRSTVWXZ";
/** How many letters: 34.5 bits, for ten minutes and a limited number of tries. */
const USER_CODE_LENGTH = 8;

/** What somebody typed, as the code is written: without what separates it, in capitals; `undefined` for what is none. */
export const userCodeSchema = z
  .string()
  .max(32)
  .transform((text) => text.toUpperCase().replaceAll(/[^A-Z0-9]/g, ""))
  .pipe(z.string().regex(new RegExp(`^[${USER_CODE_LETTERS}]{${USER_CODE_LENGTH}}$`)))
  .transform((text) => `${text.slice(0, 4)}-${text.slice(4)}`);

/** A new code for people, each of its letters as likely as the others. */
export function newUserCode(): string {
  const letters: string[] = [];
  const most = 256 - (256 % USER_CODE_LETTERS.length);
  while (letters.length < USER_CODE_LENGTH)
    for (const byte of crypto.getRandomValues(new Uint8Array(16)))
      if (byte < most && letters.length < USER_CODE_LENGTH) letters.push(USER_CODE_LETTERS.charAt(byte % USER_CODE_LETTERS.length));
  return `${letters.slice(0, 4).join("")}-${letters.slice(4).join("")}`;
}

/** `POST /oauth/token`, with a code of the authorization endpoint (RFC 6749, section 4.1.3). */
export const codeGrantSchema = z.object({
  grant_type: z.literal(AUTHORIZATION_CODE),
  client_id: z.literal(CLI_CLIENT),
  code: codeSchema,
  redirect_uri: redirectUriSchema,
  code_verifier: codeVerifierSchema,
});

/** `POST /oauth/token`, with a device code (RFC 8628, section 3.4). */
export const deviceGrantSchema = z.object({ grant_type: z.literal(DEVICE_CODE), client_id: z.literal(CLI_CLIENT), device_code: codeSchema });

/** `POST /oauth/device_authorization`: RFC 8628, section 3.1. */
export const deviceAuthorizationSchema = z
  .object({ client_id: z.literal(CLI_CLIENT).meta({ example: CLI_CLIENT }) })
  .meta({ id: "DeviceAuthorization", example: { client_id: CLI_CLIENT } });

/** RFC 8628, section 3.2. */
export const deviceAuthorizationReplySchema = z
  .object({
    device_code: z.string(),
    user_code: z.string(),
    verification_uri: z.string(),
    verification_uri_complete: z.string(),
    expires_in: z.int(),
    interval: z.int(),
  })
  .meta({
    id: "DeviceAuthorizationReply",
    example: {
      device_code: "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS00",
      user_code: "WDJB-MJHT",
      verification_uri: "https://keyhole.example.workers.dev/console/device",
      verification_uri_complete: "https://keyhole.example.workers.dev/console/device#user_code=WDJB-MJHT",
      expires_in: 600,
      interval: 5,
    },
  });
