import { inject } from "vitest";
import { put, type Reply } from "../support/call.ts";
import { callWith } from "../support/call-with.ts";
import type { UpstreamReply } from "./upstream-reply.ts";

/** A Worker that may ask what is on this machine. */
export const use = callWith({ ALLOW_INSECURE_ORIGINS: "true" });

/** The path at which the upstream answers so. */
export function replying(spec: UpstreamReply): string {
  const ascii = JSON.stringify(spec).replaceAll(/[^\x20-\x7e]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return `/reply/${btoa(ascii).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

/** The value of the tests' secret. */
export const VALUE = "sk-value-0123456789";

/** A definition whose requests go to the tests' upstream. */
export function definition(fields: object = {}): object {
  return {
    origin: inject("upstream"),
    scopes: ["global"],
    inject: [{ in: "header", name: "Authorization", value: "Bearer ${API_KEY}" }],
    allow: [{ methods: ["GET", "POST", "PUT", "HEAD", "DELETE"], paths: ["/echo/**", "/reply/*"] }],
    // Under a lease a request leaves a timer behind, for which these tests would wait.
    audit: "each",
    ...fields,
  };
}

/** An organization with a secret that may go to this machine, and a service. */
export async function serve(fields: object = {}, { value = VALUE, hosts = ["127.0.0.1"], name = "api" } = {}): Promise<{ org: string; put: Reply }> {
  const org = `use-${crypto.randomUUID().slice(0, 8)}`;
  await put("global", "API_KEY", value, { token: { org }, fields: { hosts } });
  const made = await use(`PUT /v1/services/${name}`, { token: { org }, json: definition(fields) });
  return { org, put: made };
}

/** What the upstream was asked, as it said. */
export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** Reads what the upstream says it was asked. */
export function asked({ body }: Reply): Asked {
  const { headers, ...rest } = body as Omit<Asked, "headers"> & { headers: string[] };
  const pairs = Array.from({ length: headers.length / 2 }, (_, n) => [(headers[2 * n] ?? "").toLowerCase(), headers[2 * n + 1] ?? ""]);
  return { ...rest, headers: Object.fromEntries(pairs) };
}
