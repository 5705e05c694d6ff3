import type { Permission } from "../../contract/permission.ts";
import type { TokenFacts } from "../access/verify-token.ts";
import type { Keyring } from "../envelope/keyring.ts";
import { openText } from "../envelope/open-text.ts";
import { sealText } from "../envelope/seal-text.ts";

/** What a token said that somebody logs in with, and by what it was believed: once that signs no more, neither session nor code is good. */
export interface SessionFacts extends TokenFacts {
  readonly signer: string;
}

/** Whose session it is, by what the token said that it was begun with, and until when it lasts, in milliseconds since 1970. */
export interface Session {
  readonly facts: SessionFacts;
  /** However much it is used. */
  readonly expiresAt: number;
  /** Unless it is used. */
  readonly idleUntil: number;
}

/** What a code stands for. */
export interface CodeFacts {
  readonly facts: SessionFacts;
  readonly expiresAt: number;
  /** The hash of the session that it takes the place of, which has to be open still; `null` for a login by itself. */
  readonly replaces: string | null;
}

/** What a permission set and the lists become in JSON. */
type Kept = Omit<SessionFacts, "permissions"> & { readonly permissions: readonly Permission[] };

/** Encrypts a session for its row, and for no other. */
export function sealSession(keyring: Keyring, hash: string, session: Session): Promise<string> {
  return sealText(keyring, `session ${hash}`, textOf(session));
}

/** Opens a session's row; `undefined` for what is none of that row. */
export async function openSession(keyring: Keyring, hash: string, sealed: string): Promise<Session | undefined> {
  const text = await openText(keyring, `session ${hash}`, sealed);
  return text === undefined ? undefined : factsIn<Session>(text);
}

/** Encrypts what a code stands for. */
export function sealCode(keyring: Keyring, hash: string, code: CodeFacts): Promise<string> {
  return sealText(keyring, `login code ${hash}`, textOf(code));
}

/** Opens what a code stands for; `undefined` for what is none of that row. */
export async function openCode(keyring: Keyring, hash: string, sealed: string): Promise<CodeFacts | undefined> {
  const text = await openText(keyring, `login code ${hash}`, sealed);
  return text === undefined ? undefined : factsIn<CodeFacts>(text);
}

function textOf<T extends { readonly facts: SessionFacts }>({ facts, ...rest }: T): string {
  return JSON.stringify({ ...rest, facts: { ...facts, permissions: [...facts.permissions] } });
}

/** What only this deployment's keys can have sealed is of the form in which it was. */
function factsIn<T extends { readonly facts: SessionFacts }>(text: string): T {
  const { facts, ...rest } = JSON.parse(text) as { readonly facts: Kept };
  return { ...rest, facts: { ...facts, permissions: new Set(facts.permissions) } } as unknown as T;
}
