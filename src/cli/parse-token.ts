import { usageError } from "./cli-error.ts";

/** A token that a request can carry, without the blanks around it. `what` names it for people. */
export function parseToken(what: string, text: string): string {
  const token = text.trim();
  if (!/^[\x21-\x7e]+$/.test(token)) throw usageError(`${what} is not a token`, "a token is one word, as `keyhole token create` prints it");
  return token;
}
