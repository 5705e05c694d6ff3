/** What was looked at of a deployment. */
export type Check = "address" | "health" | "readiness" | "version" | "migrations" | "token" | "keys" | "backlog" | "scheduled run";

/** What was found: well, to be looked at, broken, or not to be told from here. */
export type Verdict = "ok" | "warning" | "failed" | "unknown";

/** One thing that was looked at. What is not well says what to do. */
export type Finding =
  | { readonly check: Check; readonly verdict: "ok"; readonly says: string }
  | { readonly check: Check; readonly verdict: Exclude<Verdict, "ok">; readonly says: string; readonly hint: string };

export function well(check: Check, says: string): Finding {
  return { check, verdict: "ok", says };
}

export function ill(check: Check, verdict: Exclude<Verdict, "ok">, says: string, hint: string): Finding {
  return { check, verdict, says, hint };
}
