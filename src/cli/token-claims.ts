/** What a token says of itself, which nobody has verified here; `undefined` for one that is no JWT. */
export function tokenClaims(token: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString("utf8"));
  } catch {
    return undefined;
  }
}
