import type { OutgoingRules } from "../outgoing/require-public-origin.ts";
import { openAwsSecretsManager } from "./aws-secrets-manager.ts";
import { type AwsStore, STS_AUDIENCE, secretsManagerAddress, stsAddress } from "./aws-store.ts";
import { openAzureKeyVault } from "./azure-key-vault.ts";
import { type AzureStore, vaultAddress } from "./azure-store.ts";
import { type DriverNeeds, type StoreCredentials, type StoreDriver, StoreError } from "./store-driver.ts";
import { openVault } from "./vault.ts";
import { type VaultStore, vaultOrigin } from "./vault-store.ts";

/** Where a store is, by kind. */
export type StoreDefinition = AwsStore | AzureStore | VaultStore;

type Rules = Pick<OutgoingRules, "insecureOrigins">;

/** What has to be known of a kind. */
interface Kind<Definition> {
  readonly open: (definition: Definition, credentials: StoreCredentials | undefined, needs: DriverNeeds) => StoreDriver;
  /** The store's own address, and then every other one to which its credentials go, or what is got for them. */
  readonly addresses: (definition: Definition, rules: Rules) => readonly URL[];
  /** By what whoever takes Keyhole's identity tokens knows that they are meant. No definition says it. */
  readonly audience: (definition: Definition, rules: Rules) => string;
}

/** A fourth kind is a file and a row. */
const KINDS: { readonly [Name in StoreDefinition["kind"]]: Kind<Extract<StoreDefinition, { kind: Name }>> } = {
  "aws-secrets-manager": {
    open: openAwsSecretsManager,
    addresses: (store) => [secretsManagerAddress(store), ...(store.role_arn === undefined ? [] : [new URL(stsAddress(store.region))])],
    audience: () => STS_AUDIENCE,
  },
  "azure-key-vault": {
    open: openAzureKeyVault,
    addresses(store, rules) {
      const { url, cloud } = vaultAddress(store, rules);
      return [url, new URL(cloud.authority)];
    },
    audience: (store, rules) => vaultAddress(store, rules).cloud.audience,
  },
  vault: { open: openVault, addresses: (store) => [vaultOrigin(store)], audience: (store) => vaultOrigin(store).origin },
};

/**
 * Opens a store.
 *
 * @param credentials What was opened of its credentials; `undefined` where it has none, and a token of Keyhole's takes their place.
 * @throws {StoreError} `address`, `credential`
 */
export function openDriver(definition: StoreDefinition, credentials: StoreCredentials | undefined, needs: DriverNeeds): StoreDriver {
  const open = (onUnknown?: () => void) => kindOf(definition).open(definition, credentials, { ...needs, ...(onUnknown && { onUnknown }) });
  /** One change by itself: what it says in the end does not hold for what was sent before that, and not answered. */
  const change = async <Result>(work: (driver: StoreDriver) => Promise<Result>): Promise<Result> => {
    let mayBeDone = false;
    const driver = open(() => {
      mayBeDone = true;
    });
    try {
      return await work(driver);
    } catch (error) {
      throw error instanceof StoreError && mayBeDone ? new StoreError(error.refusal, true) : error;
    }
  };
  return {
    ...open(),
    put: (key, value, write) => change((driver) => driver.put(key, value, write)),
    delete: (key) => change((driver) => driver.delete(key)),
    restore: (key) => change((driver) => driver.restore(key)),
  };
}

/**
 * The addresses to which a store's credentials go, or what is got for them, normalized; the store's own is the first.
 *
 * @throws {StoreError} `address` if it is none of such a store. Whether it is public is looked at when it is called.
 */
export function addressesOf(definition: StoreDefinition, rules: Rules): readonly URL[] {
  return kindOf(definition).addresses(definition, rules);
}

/** Whether its address is one of such a store: what was one when it was made may be none by now. */
export function hasAddress(definition: StoreDefinition, rules: Rules): boolean {
  try {
    return addressesOf(definition, rules).length > 0;
  } catch (error) {
    if (error instanceof StoreError) return false;
    throw error;
  }
}

/**
 * The audience of the identity tokens that a store is asked with: they are good there, and nowhere else.
 *
 * @throws {StoreError} `address`
 */
export function audienceOf(definition: StoreDefinition, rules: Rules): string {
  return kindOf(definition).audience(definition, rules);
}

/** The compiler does not follow that a kind's row takes that kind's definition. */
function kindOf(definition: StoreDefinition): Kind<StoreDefinition> {
  return KINDS[definition.kind] as unknown as Kind<StoreDefinition>;
}
