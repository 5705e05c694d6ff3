/** What audit events record. Denied calls that would only have read something have an action too: `….read`. */
export const ACTIONS = [
  ...([
    "secret.create",
    "secret.update",
    "secret.delete",
    "secret.undelete",
    "secret.purge",
    "secret.rollback",
    "secret.destroy",
    "secret.import",
    "secret.resolve",
    "secret.read",
  ] as const),
  // How often what a resolve released was given again under its lease; that nobody said the last of it.
  ...(["secret.resolve.uses", "lease.unsettled"] as const),
  ...(["token.create", "token.revoke", "token.exchange", "token.refused", "token.reused", "token.read", "trust.put", "trust.delete", "trust.read"] as const),
  ...(["scope.put", "scope.delete", "scope.read", "keys.rewrap", "keys.seal", "keys.read", "audit.read", "metrics.read"] as const),
  // What is about the log itself: an export, with the filters that it had as its target; events, and revocations, that their age removed (or a shorter age was noted), a restore that was accepted, and a finding that something is not what it was.
  ...(["audit.export", "audit.retention", "log.restored", "integrity.failed"] as const),
  // What callers may use without reading, and each use of it.
  ...(["service.put", "service.delete", "service.read", "secret.use"] as const),
  // Where values live outside, and what was asked there.
  ...(["store.put", "store.delete", "store.read", "store.check", "store.write"] as const),
  // Who is told of what happens, and what they could not be told.
  ...(["webhook.put", "webhook.delete", "webhook.read", "webhook.test", "webhook.give-up"] as const),
  // That somebody was logged into the console, and logged out.
  ...(["session.create", "session.delete"] as const),
  // What an organization may have.
  ...(["quota.put", "quota.read"] as const),
  // That all rows were read out, sealed as they are, and that they were put into an empty deployment.
  ...(["backup.read", "backup.restore"] as const),
] as const;

/** How what an event records ended. */
export const OUTCOMES = ["allowed", "denied", "not-found", "failed"] as const;
