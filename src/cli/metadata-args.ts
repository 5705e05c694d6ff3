import type { SecretFields } from "../client/create-client.ts";
import { usageError } from "./cli-error.ts";
import type { Arguments } from "./define-command.ts";
import { parseTime } from "./parse-duration.ts";

/** The options that say what is known of a secret beside its value. */
export const METADATA_ARGS = {
  description: { type: "string", valueHint: "TEXT", description: "what it is for" },
  label: { type: "string", valueHint: "KEY=VALUE", repeatable: true, description: "a label; may be repeated, and replaces the labels there are" },
  expires: { type: "string", valueHint: "TIME", description: "a date, a time, or a duration such as 30d; never to clear it" },
  "rotate-after": { type: "string", valueHint: "DAYS", description: "when a new value is due; never to clear it" },
  host: {
    type: "string",
    valueHint: "HOST",
    repeatable: true,
    description: "where a service may send the value; may be repeated, and replaces the hosts there are; none to clear them",
  },
  locked: { type: "boolean", description: "let it win over every narrower scope", negativeDescription: "let narrower scopes have one of their own" },
  variable: {
    type: "boolean",
    description: "let it become an environment variable",
    negativeDescription: "keep it from ever becoming one: so a reserved name can be stored, too",
  },
  "max-lease": { type: "string", valueHint: "SECONDS", description: "the longest lease of whoever resolves it, 0 to 300; none to clear it" },
} as const satisfies Arguments;

/** What was given of {@link METADATA_ARGS}. */
interface Given {
  readonly description?: string | undefined;
  readonly expires?: string | undefined;
  readonly "rotate-after"?: string | undefined;
  readonly locked?: boolean | undefined;
  readonly variable?: boolean | undefined;
  readonly "max-lease"?: string | undefined;
}

/** The metadata that options say, as the service takes it: what was not given is not in it. */
export function metadataOf(
  { description, expires, "rotate-after": rotate, locked, variable, "max-lease": lease }: Given,
  each: (option: string) => string[],
): SecretFields {
  const labels = each("label");
  return {
    ...hostsOf(each("host")),
    ...(description !== undefined && { description: description || null }),
    ...(labels.length > 0 && { labels: Object.fromEntries(labels.map(splitLabel)) }),
    ...(expires !== undefined && { expires_at: expires === "never" ? null : parseTime("--expires", expires) }),
    ...(rotate !== undefined && { rotate_after_days: rotate === "never" ? null : parseDays(rotate) }),
    ...(locked !== undefined && { locked }),
    ...(variable !== undefined && { variable }),
    ...(lease !== undefined && { max_lease_seconds: lease === "none" ? null : parseLease(lease) }),
  };
}

function hostsOf(hosts: readonly string[]): { hosts?: string[] } {
  if (hosts.length === 0) return {};
  return { hosts: hosts.length === 1 && hosts[0] === "none" ? [] : [...hosts] };
}

function splitLabel(text: string): [string, string] {
  const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw usageError("--label is not KEY=VALUE", "for example --label team=payments");
  return [key, value];
}

function parseDays(text: string): number {
  if (!/^\d{1,4}d?$/.test(text)) throw usageError("--rotate-after is not a number of days", "for example --rotate-after 90");
  return Number.parseInt(text, 10);
}

function parseLease(text: string): number {
  if (!/^\d{1,3}s?$/.test(text) || Number.parseInt(text, 10) > 300)
    throw usageError("--max-lease is not a number of seconds up to 300", "for example --max-lease 30");
  return Number.parseInt(text, 10);
}
