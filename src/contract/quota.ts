import * as z from "zod";
import { QUOTA_NAMES, type Quota } from "./quota-names.ts";

export { QUOTA_NAMES, type Quota };

/** What an organization may have so much of, and do so often. */
export const QUOTAS = {
  secrets: { most: 1_000_000, usual: 10_000, about: "Secrets." },
  versions: { most: 10_000_000, usual: 100_000, about: "Versions of secrets whose value is kept." },
  bytes: { most: 2 ** 40, usual: 2 ** 28, about: "Bytes of all values that are kept." },
  scopes: { most: 1_000_000, usual: 10_000, about: "Scopes that lie under another one." },
  tokens: { most: 10_000_000, usual: 100_000, about: "Tokens that were minted, and not expired for a week yet; exchanged ones do not count." },
  trusts: { most: 100_000, usual: 1_000, about: "Trusts." },
  services: { most: 10_000, usual: 500, about: "Services." },
  webhooks: { most: 1_000, usual: 20, about: "Webhooks." },
  stores: { most: 1_000, usual: 50, about: "Stores." },
  revocations: {
    most: 10_000_000,
    usual: 200_000,
    about:
      "Revocations of tokens, subjects and times, which are kept for a year. Beyond it what is in the list of tokens is revoked all the same, and everything that was issued until the last minute.",
  },
  writes_per_minute: { most: 1_000_000, usual: 3_000, about: "Secrets, tokens, trusts and links written within a minute; a deletion is not counted." },
  events_per_minute: {
    most: 1_000_000,
    usual: 6_000,
    about: "Audit events within a minute, and lists of secrets of the size of as many; a fifth of them is what refused calls may make, and no more.",
  },
} as const satisfies Record<Quota, { readonly most: number; readonly usual: number; readonly about: string }>;

/** How much of each. */
export type Quotas = Readonly<Record<Quota, number>>;

/** What refused calls may take of the events of a minute. */
export const REFUSED_SHARE = 5;

const limitOf = (quota: Quota) => z.int().min(0).max(QUOTAS[quota].most).meta({ description: QUOTAS[quota].about, example: QUOTAS[quota].usual });
const byName = <Schema>(schemaOf: (quota: Quota) => Schema) =>
  Object.fromEntries(QUOTA_NAMES.map((quota) => [quota, schemaOf(quota)])) as Record<Quota, Schema>;
const USUAL = Object.fromEntries(QUOTA_NAMES.map((quota) => [quota, QUOTAS[quota].usual])) as Quotas;

/** Some quotas: those that are left out are as they would be anyway. */
export const someQuotasSchema = z
  .strictObject(byName((quota) => limitOf(quota).optional()))
  .meta({ id: "SomeQuotas", example: { secrets: 50_000, events_per_minute: 60_000 } });
export type SomeQuotas = z.output<typeof someQuotasSchema>;

/** The quotas of every organization that has none of its own: the var `QUOTAS`. */
export function withUsualQuotas(some: SomeQuotas): Quotas {
  return withQuotas(USUAL, some);
}

/** Quotas, but for some that are others. */
export function withQuotas(quotas: Quotas, some: SomeQuotas): Quotas {
  return Object.fromEntries(QUOTA_NAMES.map((quota) => [quota, some[quota] ?? quotas[quota]])) as Quotas;
}

/** `GET /v1/quotas/{org}`, and what sets it. */
export const quotasSchema = z
  .object({ org: z.string(), own: someQuotasSchema.meta({ description: "What was set for this organization." }), quotas: z.object(byName(limitOf)) })
  .meta({ id: "Quotas", example: { org: "acme", own: { secrets: 50_000 }, quotas: { ...USUAL, secrets: 50_000 } } });
export type QuotasBody = z.infer<typeof quotasSchema>;

const usedSchema = (quota: Quota) => z.object({ used: z.int().meta({ description: QUOTAS[quota].about }), limit: z.int() });

/** `GET /v1/usage`. */
export const usageSchema = z
  .object({
    org: z.string(),
    usage: z.object(byName(usedSchema)),
    earlier_versions: z.int().meta({ description: "Versions that are not current: destroying them frees so many, and their bytes." }),
    deleted_secrets: z
      .int()
      .default(0)
      .meta({ description: "Secrets that were deleted and can come back: purging them frees so many, their versions and their bytes." }),
  })
  .meta({
    id: "Usage",
    example: {
      org: "acme",
      usage: Object.fromEntries(QUOTA_NAMES.map((quota) => [quota, { used: quota === "bytes" ? 1_024 : 12, limit: USUAL[quota] }])),
      earlier_versions: 3,
      deleted_secrets: 1,
    },
  });
export type UsageBody = z.infer<typeof usageSchema>;
