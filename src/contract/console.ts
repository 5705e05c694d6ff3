import * as z from "zod";
import { MAX_TOKEN_LENGTH } from "./claims.ts";

/** What a login needs beside the browser itself: a token that is pasted, a code, or the confirmation of a login that was shown. */
const secretText = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

/** `POST /console/api/session`. */
export const beginSessionSchema = z.union([
  z.strictObject({ token: z.string().min(1).max(MAX_TOKEN_LENGTH) }),
  z.strictObject({ code: secretText }),
  z.strictObject({ confirm: secretText }),
]);

/** `POST /console/api/codes`. */
export const makeCodeSchema = z.strictObject({ token: z.string().min(1).max(MAX_TOKEN_LENGTH) });

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
