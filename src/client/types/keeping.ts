/** How long an answer may be given again from memory. Both are whole seconds. */
export interface Keeping {
  /**
   * How long ago the service may have been asked. An answer is kept for as long as its lease runs, counted from when it was
   * asked for, and never longer than this. 0: the service is asked each time for a
   * fresh answer, and nothing is kept. Left out the same, but a token or binding with `lease_seconds` may be given what it was given before.
   */
  readonly maxAge?: number | undefined;
  /**
   * For how long after that an answer is still given while the service does not answer: it cannot be reached, is
   * unavailable or limits the rate. Never after it has refused. 0 unless told. Means something only with `maxAge`.
   */
  readonly staleIfError?: number | undefined;
}
