import { type LimitName, type Limits, limitNames } from "../../contract/limits.ts";
import { matchesAny } from "../../contract/pattern.ts";
import type { Permission } from "../../contract/permission.ts";
import { Problem, type ProblemSubject } from "../../contract/problem.ts";

/** Permissions and the limits within which they hold. A `null` list of patterns means no limit. */
export interface Grant extends Limits {
  readonly permissions: ReadonlySet<Permission>;
}

/** Where a token comes from: what revocations go by. */
interface Lineage {
  readonly issuer: string;
  readonly subject: string;
  /** What the token is called in revocations and by its descendants: its `jti`; that of another issuer's with the issuer. */
  readonly reference: string;
  /** Seconds since 1970. */
  readonly issuedAt: number;
  /** The references of what it was made from, the trust's revision among them; `null` for a token that has no row. */
  readonly ancestors: readonly string[] | null;
}

/** Who makes a call, in which organization, from where, and what the grant allows. */
export interface Caller extends Grant {
  readonly org: string;
  readonly subject: string;
  /** The token's `jti`, or `null` for a caller that came without a token (a service binding). */
  readonly tokenId: string | null;
  /** `null` for a caller that came without a token. */
  readonly lineage: Lineage | null;
  /** Milliseconds since 1970, or `null` where nothing expires. */
  readonly expiresAt: number | null;
  /** Until when it may be relied on that the token is well signed, in milliseconds since 1970: another issuer may withdraw its keys. `null` for ever. */
  readonly verifiedUntil: number | null;
  /** The lease that it asks for where a request says nothing of that, in seconds; 0 for none. */
  readonly leaseSeconds: number;
  readonly requestId: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
  /**
   * Refuses the call unless the permission is held and every scope, name and service, as far as given, is within the limits.
   *
   * @throws {Problem} `forbidden`, which tells the audit log what was asked for.
   */
  require(permission: Permission, scopes?: string | readonly string[], names?: string | readonly string[], services?: string | readonly string[]): void;
  /** A refusal for a reason that {@link Caller.require} does not know. */
  refuse(needed: Permission, detail: string): Problem;
}

/** Makes a caller of verified facts. */
export function createCaller(facts: Omit<Caller, "require" | "refuse">): Caller {
  return {
    ...facts,
    require(permission, scopes = [], names = [], services = []) {
      const allowed = facts.permissions.has(permission);
      const asked: Readonly<Record<LimitName, readonly string[]>> = { secretScopes: [scopes].flat(), secretNames: [names].flat(), services: [services].flat() };
      const covered = limitNames().every((limit) => asked[limit].every((each) => matchesAny(facts[limit], each)));
      if (allowed && covered) return;
      // What was asked for is not repeated: of a secret asked for by its id the caller may not know its scope and name.
      const what = asked.services.length > 0 ? "service" : "scope or name";
      const refusal = allowed ? `The token's grant does not cover this ${what}.` : `The token lacks the permission ${permission}.`;
      throw forbidden(permission, refusal, subjects(asked.secretScopes, asked.secretNames));
    },
    refuse: (needed, detail) => forbidden(needed, detail, []),
  };
}

/** What was asked for. A name that was looked for in several scopes stands for itself. */
function subjects(scopes: readonly string[], names: readonly string[]): ProblemSubject[] {
  if (names.length === 0) return scopes.map((scope) => ({ scope, name: null }));
  const [only = null, another] = scopes;
  return names.map((name) => ({ scope: another === undefined ? only : null, name }));
}

/** A refusal as RFC 6750, section 3.1 has it. */
function forbidden(needed: Permission, detail: string, about: readonly ProblemSubject[]): Problem {
  return new Problem("forbidden", detail, {
    headers: { "WWW-Authenticate": `Bearer error="insufficient_scope", scope="${needed}"` },
    about,
  });
}
