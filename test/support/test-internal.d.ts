/** What `cloudflare:test` is made of. That itself would bring the whole Worker into files that need a part of it. */
declare module "cloudflare:test-internal" {
  /** Empties D1 and KV. */
  export function reset(): Promise<void>;
  /** Waits for what requests have left to be done after their replies. */
  export function waitForGlobalWaitUntil(): Promise<void>;
}
