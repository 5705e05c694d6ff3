import type { TokenFacts } from "../access/verify-token.ts";

const sessions = new WeakMap<Request, TokenFacts>();

/** Takes note of whose session a request is made in: the console's front has found that, and only what it hands on is looked up here. */
export function noteSession(request: Request, facts: TokenFacts): void {
  sessions.set(request, facts);
}

/** Whose session a request is made in; `undefined` for one that comes with a token of its own, or with none. */
export function sessionOf(request: Request): TokenFacts | undefined {
  return sessions.get(request);
}
