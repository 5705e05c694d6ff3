import type { CallOptions, PageQuery } from "./calls.ts";

/** What is to be revoked: exactly one of `token_id`, `subject` and `issued_before`. */
export interface CreateRevocation {
  /** The token with this id (`jti`), in the list or not, and what it minted. */
  token_id?: string | undefined;
  /** All tokens of this subject (`sub`), also those that it will have. */
  subject?: string | undefined;
  /** RFC 3339: all tokens of the organization that were issued until then. */
  issued_before?: string | undefined;
  /** Whose token or subject it is; left out: this deployment's own. */
  issuer?: string | undefined;
}

/** What was revoked. */
export interface RevocationBody {
  /** Counts within an organization. */
  number: number;
  kind: "token" | "subject" | "trust" | "issued-before";
  token_id: string | null;
  subject: string | null;
  issuer: string | null;
  /** `<name>#<revision>`: that revision of a trust, which was changed, deleted or suspended. */
  trust: string | null;
  issued_before: string | null;
  revoked_at: string;
}

/** What was revoked now, and what that has suspended. */
export interface CreateRevocationReply extends RevocationBody {
  /** The trusts that were made under what is revoked: nothing is exchanged under them any more. */
  suspended_trusts: string[];
}

/** One page of revocations. */
export interface RevocationPage {
  revocations: RevocationBody[];
  next_cursor: string | null;
}

/** Revocations by id, subject or time. */
export interface RevocationCalls {
  /**
   * Revokes, from the next request on. To do it twice is like once, so it is retried.
   *
   * @example
   * await client.revocations.create({ subject: "token:ci-payments" });
   */
  create(revocation: CreateRevocation, options?: CallOptions): Promise<CreateRevocationReply>;
  /**
   * One page of what was revoked, newest first.
   *
   * @example
   * const { revocations } = await client.revocations.list();
   */
  list(query?: PageQuery, options?: CallOptions): Promise<RevocationPage>;
  /**
   * All of it, page after page.
   *
   * @example
   * for await (const { kind, revoked_at } of client.revocations.listAll()) console.log(kind, revoked_at);
   */
  listAll(options?: CallOptions): AsyncGenerator<RevocationBody>;
}
