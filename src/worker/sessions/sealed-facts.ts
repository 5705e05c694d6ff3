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
  /** Whether it is in a cookie of the browser that came back from a provider, and good from there only: in a link it would log somebody else in. */
  readonly arrived: boolean;
}

/** What an authorization code stands for (RFC 6749, section 4.1). */
export interface GrantedFacts {
  readonly facts: SessionFacts;
  readonly expiresAt: number;
  /** What PKCE's verifier has to come to (RFC 7636, section 4.2), and where the code was sent. */
  readonly challenge: string;
  readonly redirectUri: string;
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

/** Encrypts what an authorization code stands for: one of them is no login code, and none of those is one. */
export function sealGranted(keyring: Keyring, hash: string, granted: GrantedFacts): Promise<string> {
  return sealText(keyring, `authorization code ${hash}`, textOf(granted));
}

/** Opens what an authorization code stands for; `undefined` for what is none of that row. */
export async function openGranted(keyring: Keyring, hash: string, sealed: string): Promise<GrantedFacts | undefined> {
  const text = await openText(keyring, `authorization code ${hash}`, sealed);
  return text === undefined ? undefined : factsIn<GrantedFacts>(text);
}

/** A program that waits for somebody to let it in: where it asked from, and what was decided. */
export interface DeviceFacts {
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly askedAt: number;
  readonly expiresAt: number;
  /** Whom it is let in for; `null` where it was refused, and `undefined` while nothing is decided. */
  readonly facts?: SessionFacts | null;
}

/** The row of a program that waits: what is sealed belongs to both of its codes. */
type DeviceKey = { readonly hash: string; readonly user_hash: string };

/** Encrypts what is known of a program that waits. */
export function sealDevice(keyring: Keyring, key: DeviceKey, { facts, ...rest }: DeviceFacts): Promise<string> {
  return sealText(keyring, `device ${key.hash} ${key.user_hash}`, facts ? textOf({ ...rest, facts }) : JSON.stringify({ ...rest, facts }));
}

/** Opens what is known of a program that waits; `undefined` for what is none of that row. */
export async function openDevice(keyring: Keyring, key: DeviceKey, sealed: string): Promise<DeviceFacts | undefined> {
  const text = await openText(keyring, `device ${key.hash} ${key.user_hash}`, sealed);
  if (text === undefined) return undefined;
  const device = JSON.parse(text) as DeviceFacts;
  return device.facts ? factsIn<DeviceFacts & { readonly facts: SessionFacts }>(text) : device;
}

function textOf<T extends { readonly facts: SessionFacts }>({ facts, ...rest }: T): string {
  return JSON.stringify({ ...rest, facts: { ...facts, permissions: [...facts.permissions] } });
}

/** What only this deployment's keys can have sealed is of the form in which it was. */
function factsIn<T extends { readonly facts: SessionFacts }>(text: string): T {
  const { facts, ...rest } = JSON.parse(text) as { readonly facts: Kept };
  return { ...rest, facts: { ...facts, permissions: new Set(facts.permissions) } } as unknown as T;
}
