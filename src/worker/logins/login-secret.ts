import { type HostPattern, hostMatches } from "../../contract/hosts.ts";
import { Problem } from "../../contract/problem.ts";
import { type Caller, createCaller } from "../access/caller.ts";
import { noSources } from "../secrets/no-sources.ts";
import type { ReadNeeds } from "../secrets/read-values.ts";
import { type RecordNeeds, recordSelection } from "../secrets/record-selection.ts";
import { judgeRecorded, releaseSecrets } from "../secrets/release-secrets.ts";
import { recordFailure, UnreleasedError } from "../transaction/record-failure.ts";
import type { Login } from "./find-login.ts";
import { LoginError } from "./login-error.ts";
import { loginSecretQuery } from "./require-login-secret.ts";

/** What reading a client's secret needs. */
export type SecretNeeds = RecordNeeds & ReadNeeds & { readonly platformOrg: string | null };

/** Where a request comes from. */
export interface LoginOrigin {
  readonly requestId: string;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

/**
 * The client's secret of a login, for the host of the provider's token endpoint; `undefined` for a client that has none. That it is
 * released is on record before it leaves, and so is that it did not.
 *
 * @throws {LoginError} `login-secret-unavailable` when it is not there, has expired, or is not for this host.
 * @throws {Problem} `rate-limited`, `integrity-failed`, `storage-unavailable`.
 */
export async function loginSecret(needs: SecretNeeds, origin: LoginOrigin, { row, client }: Login, host: string): Promise<string | undefined> {
  if (client.client_secret === null) return undefined;
  const caller = loginCaller(row.org, row.name, origin);
  const query = loginSecretQuery(needs, caller, client.client_secret);
  try {
    const selection = await recordSelection(needs, caller, query, { action: "secret.use", target: `login:${row.name}#${row.revision}` });
    judgeRecorded(selection, (secrets) => requireHost(secrets, host));
    return await releaseSecrets({ ...needs, sources: noSources("login") }, selection, ({ secrets }) => textIn(secrets[0]?.bytes));
  } catch (error) {
    if (error instanceof UnreleasedError) await recordFailure(needs, caller, error.failure);
    const problem = error instanceof UnreleasedError ? error.cause : error;
    if (problem instanceof Problem && UNAVAILABLE.has(problem.code)) throw new LoginError("login-secret-unavailable", { cause: problem });
    throw problem;
  }
}

const UNAVAILABLE: ReadonlySet<string> = new Set([
  ...["secret-not-found", "secret-expired", "name-locked", "host-not-allowed", "value-not-injectable", "source-cycle"],
]);

/** Whoever logs in is not known yet: the login itself uses its secret, which its maker gave it. */
function loginCaller(org: string, name: string, origin: LoginOrigin): Caller {
  return createCaller({
    ...origin,
    ...{ org, subject: `login:${name}`, tokenId: null, lineage: null, expiresAt: null, verifiedUntil: null, leaseSeconds: 0 },
    ...{ permissions: new Set(["secrets:use"] as const), secretScopes: null, secretNames: null, services: null },
  });
}

function requireHost(secrets: readonly { readonly name: string; readonly label: string; readonly hosts: string }[], host: string): void {
  const elsewhere = secrets.filter(({ hosts }) => !(JSON.parse(hosts) as HostPattern[]).some((pattern) => hostMatches(pattern, host)));
  if (elsewhere.length === 0) return;
  throw new Problem("host-not-allowed", "The client's secret is not for the provider's token endpoint: whoever set it says where it may go, in its hosts.", {
    about: elsewhere.map(({ name, label }) => ({ scope: label, name })),
  });
}

function textIn(bytes: Uint8Array | undefined): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new Problem("value-not-injectable", "The client's secret is no text.");
  }
}
