/** What every call takes. */
export interface CallOptions {
  /** Ends the call, its retries and its waits; the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
}

/** A page of a list. */
export interface PageQuery {
  /** How many at most, 1 to 200; 50 unless told. */
  limit?: number | undefined;
  /** `next_cursor` of the page before. */
  cursor?: string | undefined;
}

/** A token, or what gives one. `rejected` is the token that was just answered 401, if that is why it is asked. */
export type TokenProvider = string | ((rejected?: string) => string | Promise<string>);
