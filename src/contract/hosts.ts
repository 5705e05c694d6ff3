import * as z from "zod";
import { isLoopback as isLoopbackItself } from "./in-the-clear.ts";

const LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
/** A name with at least two labels, the last of which begins with a letter: no address, in whatever notation. */
const NAME = new RegExp(`^(?=.{1,253}$)(?:${LABEL}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$`);

/**
 * Last labels that lead to nothing public: of special use (RFC 6761, 6762, 7686, 8375, 9476; `internal` by ICANN's
 * resolution of 2024), and what private networks are called.
 */
const NOT_PUBLIC = new Set("localhost local localdomain internal intranet lan home corp mail private test invalid example onion alt arpa".split(" "));
/** Under a public name, the service that tells a machine its own credentials. */
const METADATA = new Set(["metadata.tencentyun.com", "metadata.packet.net", "metadata.platformequinix.com"]);
const UNDER_LOCALHOST = /^(?:[a-z0-9_-]+\.)+localhost$/;

/**
 * Whether a host is public as a text: a DNS name in lower case without a dot at its end, no address, and no name of special
 * use. `host` is a `URL`'s `hostname`, whose parser has made one notation of all that there are for an address. Where a
 * public name leads cannot be seen from here.
 */
export function isPublicHost(host: string): boolean {
  const last = host.slice(host.lastIndexOf(".") + 1);
  return NAME.test(host) && !NOT_PUBLIC.has(last) && !METADATA.has(host) && !host.startsWith("instance-data.");
}

/** Whether a host is this machine: `127.0.0.0/8`, `[::1]`, `localhost` and what is under it. `host` is a `URL`'s `hostname`. */
export function isLoopback(host: string): boolean {
  return isLoopbackItself({ hostname: host }) || UNDER_LOCALHOST.test(host);
}

function isHostPattern(text: string): boolean {
  const host = text.replace(/^\*\./, "");
  return isPublicHost(host) || (isLoopback(host) && (host === text || !/[\d\]]$/.test(host)));
}

/**
 * A host to which the value of a secret may go: a name, or `*.` and a domain of at least two labels. Case is put aside. This
 * machine's names are taken too: nothing goes there unless `ALLOW_INSECURE_ORIGINS` is `true`.
 */
export const hostPatternSchema = z
  .string()
  .max(255)
  .transform((text) => text.toLowerCase())
  .refine(isHostPattern, { error: "a host is a public name, or '*.' and one: no address, port or path" })
  .brand<"HostPattern">()
  .meta({ description: "A public name, or `*.` and a domain, under which every name is matched and not the domain itself.", example: "api.openai.com" });

export type HostPattern = z.infer<typeof hostPatternSchema>;

/** Whether `pattern` matches `host`, which is a `URL`'s `hostname`. `*.` stands for one label or more. */
export function hostMatches(pattern: HostPattern, host: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === host;
  const domain = pattern.slice(1);
  return host.length > domain.length && host.endsWith(domain) && !host.startsWith(".");
}
