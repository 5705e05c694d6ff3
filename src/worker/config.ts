import * as z from "zod";
import { isLoopback } from "../contract/hosts.ts";
import { jsonVarSchema } from "../contract/json-var.ts";
import { orgSchema } from "../contract/org-name.ts";
import { originSchema } from "../contract/origin.ts";
import { type Pattern, patternSchema } from "../contract/pattern.ts";
import { type Quotas, someQuotasSchema, withUsualQuotas } from "../contract/quota.ts";
import { serviceNameSchema } from "../contract/service.ts";
import { type LogKeys, logKeysOf } from "./access/log-keys.ts";
import { importOidcKeys } from "./access/oidc-keys.ts";
import { importSigningKeys, type SigningKeys } from "./access/signing-keys.ts";
import type { Provider } from "./access/store-issuer.ts";
import { type TrustedIssuer, trustedIssuersSchema } from "./access/trusted-issuers.ts";
import { importKeyring, type Keyring } from "./envelope/keyring.ts";

/** What the Worker is given: bindings, secrets, and the vars of wrangler.toml. */
export interface Env {
  readonly DB: D1Database;
  readonly KV: KVNamespace;
  /** The files of the console; a deployment may have none. */
  readonly CONSOLE?: Fetcher;
  readonly ROOT_KEY?: string;
  readonly KEYRING?: string;
  readonly SIGNING_KEY?: string;
  readonly LOG_KEY?: string;
  readonly OIDC_KEY?: string;
  readonly PUBLIC_URL?: string;
  readonly ISSUER?: string;
  readonly AUDIENCE?: string;
  readonly PLATFORM_ORG?: string;
  readonly RESERVED_NAMES?: string;
  readonly MAX_VERSIONS?: string;
  readonly RECOVERY_DAYS?: string;
  readonly AUDIT_RETENTION_DAYS?: string;
  readonly AUDIT_RETENTION_CONFIRM?: string;
  readonly AUDIT_HOT_DAYS?: string;
  readonly LEGACY_PLAINTEXT?: string;
  readonly LEASE_SECONDS?: string;
  readonly STALE_SECONDS?: string;
  /** Rate limits; a deployment without them has none. */
  readonly RESOLVE_LIMIT?: RateLimit;
  readonly FAILURE_LIMIT?: RateLimit;
  readonly VAULT_FRONT?: string;
  readonly QUOTAS?: string;
  readonly TRUSTED_ISSUERS?: string;
  readonly ALLOW_INSECURE_ISSUERS?: string;
  readonly ALLOW_INSECURE_ORIGINS?: string;
  readonly USE_PATHS?: string;
  readonly USE_HOSTS?: string;
}

/** The environment, parsed. Keys are non-extractable. */
export interface Config {
  readonly keyring: Keyring;
  /** The keys of tokens. */
  readonly signingKeys: SigningKeys;
  /** The keys of what is stated about the audit log. */
  readonly logKeys: LogKeys;
  /** The keys and the address by which this deployment is an OpenID provider for its stores; `null` where it is none. */
  readonly provider: Provider | null;
  readonly issuer: string;
  readonly audience: string;
  /** The operator's own organization, whose `global` secrets every organization gets; `null` where there is none. */
  readonly platformOrg: string | null;
  readonly reservedNames: readonly Pattern[];
  /** How many versions of a secret are kept. */
  readonly maxVersions: number;
  /** For how many days what is deleted can come back; 0 for not at all. */
  readonly recoveryDays: number;
  /** How many days audit events are kept. */
  readonly retentionDays: number;
  /** A shorter retention that was confirmed, so that it need not wait for a day; `null` for none. */
  readonly retentionConfirm: number | null;
  /** After how many days sealed audit events leave D1 for the archive. */
  readonly hotDays: number;
  /** Whether values that are still as another store had them may be read, and are encrypted. */
  readonly legacyPlaintext: boolean;
  /** For how long at the most the same may be given again to whoever asked for that, in seconds; 0 for never. */
  readonly leaseSeconds: number;
  /** How old at the most what is known of changes may be when something is given again, in seconds. */
  readonly staleSeconds: number;
  /** What an organization may have and do that has no quotas of its own. */
  readonly quotas: Quotas;
  readonly trustedIssuers: readonly TrustedIssuer[];
  /** Whether issuers may have http and private addresses: for local use only. */
  readonly insecureIssuers: boolean;
  /** Whether services may be on this machine, over http too: for local use only. */
  readonly insecureOrigins: boolean;
  /** Whether services are used by paths of this deployment's own address. */
  readonly usePaths: boolean;
  /** The hosts that are a service each, and nothing else. */
  readonly useHosts: Readonly<Record<string, string>>;
}

/** The parts of the configuration that `/readyz` names. */
export type ConfigPart = "keyring" | "signing_key" | "log_key" | "oidc_key" | "vars";

/** The environment is not usable. `faults` says what is wrong with which part, without showing any secret. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  constructor(readonly faults: readonly { part: ConfigPart; detail: string }[]) {
    super(faults.map(({ detail }) => detail).join("; "));
  }
}

const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== "");

const useHostsSchema = z.record(z.string().regex(/^[a-z0-9.-]{1,253}$/, { error: "a host is in small letters, without a port" }), serviceNameSchema);

/** An address that others reach: nobody but this machine reaches it over http. */
const publicUrlSchema = originSchema.refine((text) => text.startsWith("https:") || (URL.canParse(text) && isLoopback(new URL(text).hostname)), {
  error: "https, unless it is this machine",
});

const varsSchema = (insecureIssuers: boolean) =>
  z.object({
    ISSUER: z.string().min(1).max(512).default("keyhole"),
    AUDIENCE: z.string().min(1).max(512).default("keyhole"),
    PLATFORM_ORG: z.union([z.literal("").transform(() => null), orgSchema]).default(null),
    RESERVED_NAMES: z
      .string()
      .default("")
      .transform((text) => words(text.toUpperCase()))
      .pipe(z.array(patternSchema)),
    MAX_VERSIONS: z.coerce.number().int().min(1).max(1000).default(10),
    RECOVERY_DAYS: z.coerce.number().int().min(0).max(90).default(7),
    AUDIT_RETENTION_DAYS: z.coerce.number().int().min(1).max(36_500).default(365),
    AUDIT_RETENTION_CONFIRM: z.union([z.literal("").transform(() => null), z.coerce.number().int().min(1).max(36_500)]).default(null),
    AUDIT_HOT_DAYS: z.coerce.number().int().min(1).max(36_500).default(7),
    LEGACY_PLAINTEXT: z.enum(["off", "read"]).default("off"),
    LEASE_SECONDS: z.coerce.number().int().min(0).max(300).default(60),
    STALE_SECONDS: z.coerce.number().int().min(1).max(30).default(5),
    VAULT_FRONT: z.enum(["on", "off"]).default("on"),
    QUOTAS: jsonVarSchema.pipe(someQuotasSchema).default({}),
    TRUSTED_ISSUERS: trustedIssuersSchema(insecureIssuers).default([]),
    ALLOW_INSECURE_ISSUERS: z.enum(["true", "false"]).default("false"),
    ALLOW_INSECURE_ORIGINS: z.enum(["true", "false"]).default("false"),
    USE_PATHS: z.enum(["on", "off"]).default("on"),
    USE_HOSTS: jsonVarSchema.pipe(useHostsSchema).default({}),
    PUBLIC_URL: z.union([z.literal("").transform(() => null), publicUrlSchema]).default(null),
  });

/**
 * Parses the environment.
 *
 * @throws {ConfigError} with everything that is wrong, not only the first fault.
 */
export async function parseConfig(env: Env): Promise<Config> {
  const vars = varsSchema(env.ALLOW_INSECURE_ISSUERS === "true").safeParse(env);
  const [keyring, signingKeys, ownLogKeys, oidcKeys] = await Promise.allSettled([
    importKeyring(env.ROOT_KEY, env.KEYRING),
    importSigningKeys(env.SIGNING_KEY),
    env.LOG_KEY ? importSigningKeys(env.LOG_KEY, "LOG_KEY") : null,
    env.OIDC_KEY ? importOidcKeys(env.OIDC_KEY) : null,
  ]);
  const logKeys = settled(signingKeys, ownLogKeys);
  if (!vars.success || keyring.status === "rejected" || signingKeys.status === "rejected" || logKeys.status === "rejected" || oidcKeys.status === "rejected") {
    throw new ConfigError([
      ...faultsOf("keyring", keyring),
      ...faultsOf("signing_key", signingKeys),
      ...(logKeys === signingKeys ? [] : faultsOf("log_key", logKeys)),
      ...faultsOf("oidc_key", oidcKeys),
      ...(vars.error?.issues ?? []).map(({ path, message }) => ({ part: "vars" as const, detail: `${path.join(".")}: ${message}` })),
    ]);
  }
  return {
    keyring: keyring.value,
    signingKeys: signingKeys.value,
    logKeys: logKeys.value,
    provider: oidcKeys.value && vars.data.PUBLIC_URL !== null ? { keys: oidcKeys.value, publicUrl: vars.data.PUBLIC_URL } : null,
    issuer: vars.data.ISSUER,
    audience: vars.data.AUDIENCE,
    platformOrg: vars.data.PLATFORM_ORG,
    reservedNames: vars.data.RESERVED_NAMES,
    maxVersions: vars.data.MAX_VERSIONS,
    recoveryDays: vars.data.RECOVERY_DAYS,
    retentionDays: vars.data.AUDIT_RETENTION_DAYS,
    retentionConfirm: vars.data.AUDIT_RETENTION_CONFIRM,
    hotDays: vars.data.AUDIT_HOT_DAYS,
    legacyPlaintext: vars.data.LEGACY_PLAINTEXT === "read",
    leaseSeconds: vars.data.LEASE_SECONDS,
    staleSeconds: vars.data.STALE_SECONDS,
    quotas: withUsualQuotas(vars.data.QUOTAS),
    trustedIssuers: vars.data.TRUSTED_ISSUERS,
    insecureIssuers: vars.data.ALLOW_INSECURE_ISSUERS === "true",
    insecureOrigins: vars.data.ALLOW_INSECURE_ORIGINS === "true",
    usePaths: vars.data.USE_PATHS === "on",
    useHosts: vars.data.USE_HOSTS,
  };
}

/** The keys of the log, unless theirs or those of tokens could not be imported. */
function settled(tokens: PromiseSettledResult<SigningKeys>, log: PromiseSettledResult<SigningKeys | null>): PromiseSettledResult<LogKeys> {
  if (log.status === "rejected") return log;
  if (tokens.status === "rejected") return tokens;
  try {
    return { status: "fulfilled", value: logKeysOf(tokens.value, log.value) };
  } catch (reason) {
    return { status: "rejected", reason };
  }
}

function faultsOf(part: ConfigPart, result: PromiseSettledResult<unknown>): ConfigError["faults"] {
  if (result.status === "fulfilled") return [];
  return [{ part, detail: result.reason instanceof Error ? result.reason.message : "unknown" }];
}

const outcomes = new WeakMap<Env, Config | ConfigError>();

/** The configuration of an environment that has been parsed before. */
export function knownConfig(env: Env): Config | undefined {
  const known = outcomes.get(env);
  return known instanceof ConfigError ? undefined : known;
}

/**
 * {@link parseConfig}, once for each environment: an isolate keeps the outcome for as long as it lives. What is kept
 * is the outcome and not the promise, because one request must not wait for another's work.
 *
 * @throws {ConfigError} the same one every time.
 */
export async function loadConfig(env: Env): Promise<Config> {
  const known = outcomes.get(env);
  if (known instanceof ConfigError) throw known;
  if (known) return known;
  try {
    const config = await parseConfig(env);
    const first = outcomes.get(env);
    // Of several that began at once there is one from then on: what is kept is kept by it.
    if (first && !(first instanceof ConfigError)) return first;
    outcomes.set(env, config);
    return config;
  } catch (error) {
    if (error instanceof ConfigError) {
      outcomes.set(env, error);
      console.error(JSON.stringify({ level: "error", event: "config", faults: error.faults }));
    }
    throw error;
  }
}
