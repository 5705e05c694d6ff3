import { isLoopback } from "../../contract/hosts.ts";
import { Problem } from "../../contract/problem.ts";
import { refsOf, type StoreDefinition } from "../../contract/store.ts";
import type { Caller } from "../access/caller.ts";
import { givenSecrets, insertEvent } from "../audit/insert-event.ts";
import { tokensOf } from "../injection/kept-tokens.ts";
import { noSources } from "../secrets/no-sources.ts";
import type { ReadNeeds } from "../secrets/read-values.ts";
import { type RecordNeeds, recordSelection } from "../secrets/record-selection.ts";
import { judgeRecorded, type Released, releaseSecrets } from "../secrets/release-secrets.ts";
import { rowsOf } from "../store/run-batch.ts";
import { noEventLeft, unlessUsedUp } from "../transaction/event-quota.ts";
import { runForCaller } from "../transaction/run-for-caller.ts";
import { addressesOf, openDriver } from "./drivers.ts";
import { type CredentialNeeds, credentialQuery, requireStoreHosts } from "./find-credentials.ts";
import { identityOf, identityToken } from "./identity-token.ts";
import { type AddressNeeds, storeRules } from "./plan-store.ts";
import type { FoundStore } from "./read-stores.ts";
import { type DriverNeeds, type StoreCredentials, type StoreDriver, StoreError } from "./store-driver.ts";
import { textOf } from "./value-bytes.ts";

/** What opening a store needs. */
export type OpenNeeds = RecordNeeds &
  ReadNeeds &
  CredentialNeeds &
  AddressNeeds & {
    /** Lets work go on after the reply. */
    readonly defer: (work: Promise<unknown>) => void;
  };

/**
 * Opens a store for a call. That its credentials are released, or that an identity token is made in their place, is on record before
 * that leaves; and whether they may go to the store's hosts is asked of the rows of that transaction.
 *
 * @param over Aborted when no call of the store may begin or go on any more.
 *
 * @throws {Problem} `secret-not-found`, `secret-expired`, `name-locked`, `rate-limited`, `unauthenticated`, `storage-unavailable`.
 * @throws {UnreleasedError} when it is on record and did not leave: `host-not-allowed`, `value-not-injectable`, `integrity-failed`, `storage-unavailable`.
 * @throws {StoreError} `address`.
 */
export async function openStore(
  needs: OpenNeeds,
  caller: Caller,
  { row, definition }: FoundStore,
  action: StoreAction,
  over?: AbortSignal,
): Promise<StoreDriver> {
  // What was an address of such a store when it was made may be none by now: then nothing is released.
  addressesOf(definition, needs);
  const event = { action, target: `${row.name}#${row.revision}` } as const;
  const credentials = await openCredentials(needs, caller, definition, event);
  return openDriver(definition, credentials, { ...driverNeeds(needs, caller, row, definition), ...(over && { over }) });
}

/** What a store is opened for, as the audit log has it. */
type StoreAction = "store.check" | "store.read" | "store.write";
type Event = { readonly action: StoreAction; readonly target: string };

async function openCredentials(needs: OpenNeeds, caller: Caller, definition: StoreDefinition, event: Event): Promise<StoreCredentials | undefined> {
  const query = credentialQuery(needs, caller, definition);
  if (!query) {
    await recordIdentity(needs, caller, event);
    return definition.credentials as StoreCredentials | undefined;
  }
  const selection = await recordSelection(needs, caller, query, event);
  judgeRecorded(selection, (secrets) => requireStoreHosts(needs, secrets, definition));
  return releaseSecrets({ ...needs, sources: noSources("store") }, selection, ({ secrets }) => fillIn(definition, secrets));
}

/** No secret is released: Keyhole's own identity is shown. */
async function recordIdentity({ quotas, ...needs }: OpenNeeds, caller: Caller, event: Event): Promise<void> {
  const { db, now } = needs;
  const unless = unlessUsedUp(caller.org, quotas, now);
  const [written] = await runForCaller(needs, caller, [insertEvent(db, { ...event, actor: caller, outcome: "allowed", at: now }, givenSecrets([], unless))]);
  if (rowsOf(written).length === 0) throw noEventLeft();
}

/** The credentials of a store with values in the places of references. */
function fillIn(definition: StoreDefinition, secrets: readonly Released[]): StoreCredentials {
  const values = Object.fromEntries(
    refsOf(definition).map(({ field, name }) => {
      const secret = secrets.find((one) => one.name === name);
      if (!secret) throw new Error(`the value of ${name} was not released`);
      return [field, credentialIn(secret)];
    }),
  );
  return { ...definition.credentials, ...values } as StoreCredentials;
}

function credentialIn({ name, bytes }: Released): string {
  const text = textOf(bytes);
  if (text === undefined) throw new Problem("value-not-injectable", `The value of ${name} is no text, and so no credential.`);
  return text;
}

function driverNeeds(needs: OpenNeeds, { org }: Caller, { name, created_at }: FoundStore["row"], definition: StoreDefinition): DriverNeeds {
  const { now, defer, keyring, provider } = needs;
  return {
    now,
    clock: () => now.getTime(),
    defer,
    rules: storeRules(needs),
    externalId: org,
    store: `${name} ${created_at}`,
    kept: tokensOf(keyring),
    standIns: needs.insecureOrigins ? standInsOf(definition) : {},
    async identityToken(audience) {
      if (!provider) throw new StoreError("credential");
      const identity = identityOf({ ...needs, provider }, org, name, definition);
      if (audience !== identity.audience) throw new Error("an identity token was asked for that is for somebody else");
      return identityToken(provider, identity, now);
    },
  };
}

/** On this machine, for local use and tests: whoever stands in for a store stands in for who gives access to it, too. */
function standInsOf(definition: StoreDefinition): NonNullable<DriverNeeds["standIns"]> {
  const here = (address: string | undefined) => address !== undefined && isLoopback(new URL(address).hostname);
  if (definition.kind === "aws-secrets-manager" && here(definition.endpoint)) return { sts: definition.endpoint as string };
  return definition.kind === "azure-key-vault" && here(definition.vault_url) ? { authority: definition.vault_url } : {};
}
