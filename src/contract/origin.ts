import * as z from "zod";

/** Where requests go: a scheme and a host, as a `URL` has its `origin`. Whether anything may go there is decided elsewhere. */
export const originSchema = z
  .string()
  .max(300)
  .regex(/^https?:\/\/[^/?#@\\\s]+$/, { abort: true, error: "an origin is https:// and a host, without a path, a query or a user" })
  .refine((text) => URL.canParse(text) && new URL(text).origin === text, {
    error: "that is not how a URL has this origin: small letters, no port that goes without saying",
  });
