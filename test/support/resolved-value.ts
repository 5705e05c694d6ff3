import { resolve } from "./call.ts";
import type { TokenClaims } from "./sign.ts";

/** The value that a resolve of one name in one scope, and in no other, gives. */
export async function resolvedValue(name: string, scope = "global", token: TokenClaims = {}): Promise<string> {
  const { body } = await resolve({ scopes: [scope], names: [name], inherit: false }, { token });
  return body.secrets[name].value;
}
