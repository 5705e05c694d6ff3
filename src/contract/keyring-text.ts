import * as z from "zod";

/** A Worker secret that is missing or malformed. The message names the secret and never shows any of it. */
export class KeyringError extends Error {
  override readonly name = "KeyringError";
}

const keyringSchema = z.strictObject({
  current: z.string(),
  keys: z.record(z.string().regex(/^[A-Za-z0-9._-]{1,64}$/), z.string()),
  seals: z.literal("required").optional(),
  seals_from: z.string().optional(),
});

/** What `KEYRING` says. Each key is 256 bits wrapped under the root key with AES-KW (RFC 3394) in base64, the oldest first. */
export type KeyringText = z.infer<typeof keyringSchema>;

/**
 * Parses `KEYRING`. The keys in it stay wrapped.
 *
 * @throws {KeyringError} when it is not of that form.
 */
export function parseKeyringText(text: string | undefined): KeyringText {
  if (!text) throw new KeyringError("KEYRING is not set");
  const parsed = keyringSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new KeyringError('KEYRING is not {"current": "<id>", "keys": {"<id>": "<base64>"}}');
  const { current, keys, seals_from = current } = parsed.data;
  if (!Object.hasOwn(keys, current)) throw new KeyringError("KEYRING has no key with the id that it calls current");
  if (!Object.hasOwn(keys, seals_from)) throw new KeyringError("KEYRING has no key with the id that it calls seals_from");
  const ids = Object.keys(keys);
  if (ids.indexOf(current) < ids.indexOf(seals_from)) throw new KeyringError("KEYRING: its current key is older than seals_from");
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
