import * as z from "zod";
import { MAX_TOKEN_LENGTH } from "./claims.ts";
import { loginNameSchema } from "./login.ts";
import { codeChallengeSchema, codeSchema, redirectUriSchema, userCodeSchema } from "./oauth-client.ts";
import { orgSchema } from "./org-name.ts";

/**
 * `POST /console/api/session`: what a login needs beside the browser itself. A token that is pasted, a code, the confirmation of a login that was
 * shown, or nothing more for who comes back from a provider: then the code is in a cookie.
 */
export const beginSessionSchema = z.union([
  z.strictObject({ token: z.string().min(1).max(MAX_TOKEN_LENGTH) }),
  z.strictObject({ code: codeSchema }),
  z.strictObject({ confirm: codeSchema }),
  z.strictObject({ arrived: z.literal(true) }),
]);

/** `POST /console/api/codes`. */
export const makeCodeSchema = z.strictObject({ token: z.string().min(1).max(MAX_TOKEN_LENGTH) });

/** A page of the console, below `/console`: none of its API, and no way in. */
const pageSchema = z
  .string()
  .max(2048)
  .regex(/^\/[^\s\\#]*$/)
  .refine((page) => {
    const { origin, pathname } = new URL(`/console${page}`, "https://keyhole.invalid");
    return origin === "https://keyhole.invalid" && pathname.startsWith("/console/") && !/^\/console\/(?:api|callback|login)(?:\/|$)/.test(pathname);
  });

/** `GET /console/api/logins`. */
export const offeredLoginsSchema = z.strictObject({ organization: orgSchema });
export interface OfferedLogins {
  readonly logins: readonly string[];
}

/** `POST /console/api/logins`. */
export const beginLoginSchema = z.strictObject({ organization: orgSchema, login: loginNameSchema, page: pageSchema.default("/secrets") });
/** Where the browser goes next. */
export interface GoOn {
  readonly location: string;
}

/** `POST /console/api/authorizations`: whether a program on one's own machine gets a token. */
export const authorizationSchema = z.strictObject({
  redirect_uri: redirectUriSchema,
  code_challenge: codeChallengeSchema,
  state: z
    .string()
    .regex(/^[\x20-\x7E]{1,512}$/)
    .optional(),
  approved: z.boolean(),
});

/** `POST /console/api/devices`: shows a program that waits, or decides about it. */
export const deviceSchema = z.strictObject({ user_code: userCodeSchema, approved: z.boolean().optional() });
/** A program that waits: where it asks from, and what it would get. */
export interface DeviceBody {
  readonly user_code: string;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly asked_at: string;
  readonly permissions: readonly string[];
  /** `null` while nothing is decided. */
  readonly approved: boolean | null;
}

/** Who is logged in, what they may, and until when. Times are RFC 3339. */
export interface SessionBody {
  readonly organization: string;
  readonly subject: string;
  readonly permissions: readonly string[];
  readonly secret_scopes: readonly string[] | null;
  readonly secret_names: readonly string[] | null;
  readonly services: readonly string[] | null;
  readonly expires_at: string;
  readonly idle_expires_at: string;
}

/** What would be logged into in place of the session that is open: `confirm` does it, once. */
export type SessionToConfirm = Pick<SessionBody, "organization" | "subject" | "permissions"> & { readonly confirm: string };
