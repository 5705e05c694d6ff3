/** What can be wrong with a secret that is the credential of something, when that is made. */
export const CREDENTIAL_PROBLEMS = ["secret-not-found", "secret-expired", "name-locked", "host-not-allowed", "source-cycle"] as const;
