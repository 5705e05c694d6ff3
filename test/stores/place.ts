import { tokensOf } from "../../src/worker/injection/kept-tokens.ts";
import { openDriver, type StoreDefinition } from "../../src/worker/stores/drivers.ts";
import type { DriverNeeds, StoreCredentials, StoreDriver } from "../../src/worker/stores/store-driver.ts";
import { type FakeAws, fakeAws } from "../support/stores/fake-aws.ts";
import { type FakeAzure, fakeAzure } from "../support/stores/fake-azure.ts";
import { type FakeVault, fakeVault } from "../support/stores/fake-vault.ts";
import { type Network, stubNetwork } from "../support/stores/stub-network.ts";

export const KEYS = { access_key_id: "AKIAIOSFODNN7EXAMPLE", secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY" };
export const CLIENT = "99999999-8888-7777-6666-555555555555";
const CLIENT_SECRET = "client-secret-of-the-test";
export const VAULT_TOKEN = "s.token-of-the-test";
export const ROLE = "arn:aws:iam::000000000000:role/keyhole";

/** A store of each kind at its own address, and what it is opened with. */
export const DEFINITIONS = {
  aws: { kind: "aws-secrets-manager", region: "eu-central-1" },
  azure: { kind: "azure-key-vault", vault_url: "https://keyhole-test.vault.azure.net/", tenant_id: "11111111-2222-3333-4444-555555555555", client_id: CLIENT },
  vault: { kind: "vault", address: "https://vault.example.org:8200", mount: "secret" },
} as const satisfies Record<string, StoreDefinition>;

/** The fakes of a test on a network of its own. */
export interface Place {
  readonly network: Network;
  readonly aws: FakeAws;
  readonly azure: FakeAzure;
  readonly vault: FakeVault;
  /** How long was waited, in milliseconds. */
  readonly pauses: number[];
  /** Milliseconds since 1970, for all of them. */
  now: number;
  readonly needs: DriverNeeds;
  /** Opens a store, with what it is opened with unless told otherwise. */
  readonly open: (kind: keyof typeof DEFINITIONS, more?: object, credentials?: StoreCredentials | null, needs?: Partial<DriverNeeds>) => StoreDriver;
}

const CREDENTIALS: Readonly<Record<keyof typeof DEFINITIONS, StoreCredentials>> = {
  aws: KEYS,
  azure: { client_secret: CLIENT_SECRET },
  vault: { token: VAULT_TOKEN },
};

/** Makes the fakes, and the network that leads to them. */
export function openPlace(): Place {
  const aws = fakeAws({ id: KEYS.access_key_id, secret: KEYS.secret_access_key });
  const azure = fakeAzure();
  azure.apps.set(CLIENT, { secrets: [CLIENT_SECRET] });
  const vault = fakeVault(VAULT_TOKEN);
  const network = stubNetwork({
    "secretsmanager.eu-central-1.amazonaws.com": aws.handle,
    "sts.eu-central-1.amazonaws.com": aws.handle,
    "keyhole-test.vault.azure.net": azure.handle,
    "login.microsoftonline.com": azure.handle,
    "vault.example.org:8200": vault.handle,
  });
  const pauses: number[] = [];
  const place = { network, aws, azure, vault, pauses, now: Date.parse("2026-11-28T12:00:00Z") };
  for (const fake of [aws, azure, vault]) fake.now = () => place.now;
  const needs: DriverNeeds = {
    now: new Date(place.now),
    clock: () => place.now,
    defer: () => undefined,
    pause: async (milliseconds) => void pauses.push(milliseconds),
    rules: { insecureOrigins: false, ownHosts: new Set(["keyhole.example.org"]) },
    identityToken: async () => {
      throw new Error("no token was to be asked for");
    },
    externalId: "org_0123456789",
    store: "s",
    kept: tokensOf({}),
  };
  const open: Place["open"] = (kind, more = {}, credentials = CREDENTIALS[kind], others = {}) =>
    openDriver({ ...DEFINITIONS[kind], ...more } as StoreDefinition, credentials ?? undefined, { ...needs, ...others });
  return Object.assign(place, { needs, open });
}

/** The refusal that work ends with. */
export async function refusalOf(work: Promise<unknown> | (() => unknown)): Promise<string> {
  try {
    await (typeof work === "function" ? work() : work);
    return "none";
  } catch (error) {
    return (error as { refusal?: string }).refusal ?? `no refusal: ${error}`;
  }
}

export const bytes = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(new TextEncoder().encode(text));
export const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(value);
/** An operation. */
export const operation = (): string => crypto.randomUUID();
