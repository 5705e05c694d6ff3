import { env } from "cloudflare:workers";
import type { Pattern } from "../../src/contract/pattern.ts";
import type { Permission } from "../../src/contract/permission.ts";
import type { Scope } from "../../src/contract/scope.ts";
import { type Caller, createCaller } from "../../src/worker/access/caller.ts";
import { loadConfig } from "../../src/worker/config.ts";
import { needsFrom } from "../../src/worker/http/needs-of.ts";
import { type KeyChange, patchObject } from "../../src/worker/objects/patch-object.ts";
import { objectRequest, readObject } from "../../src/worker/objects/read-object.ts";
import { deleteObject, replaceObject } from "../../src/worker/objects/replace-object.ts";
import type { SecretValue } from "../../src/worker/secrets/change.ts";
import { releaseSecrets } from "../../src/worker/secrets/release-secrets.ts";
import { resolveSecrets } from "../../src/worker/secrets/resolve-secrets.ts";
import { newId } from "../../src/worker/transaction/new-id.ts";

/** What is given of a key: a text, a JSON value, a merge patch, or nothing to delete it. */
export type Given = string | null | { readonly json: string } | { readonly merge: string };

const text = (value: string, encoding: "utf8" | "json"): SecretValue => ({ bytes: new TextEncoder().encode(value), encoding });

function valuesOf(given: Readonly<Record<string, Given>>): Map<string, KeyChange> {
  return new Map(
    Object.entries(given).map(([key, value]) => {
      if (value === null || typeof value === "string") return [key, value === null ? null : text(value, "utf8")];
      return [key, "json" in value ? text(value.json, "json") : value];
    }),
  );
}

interface Who {
  readonly names?: readonly string[] | undefined;
  readonly scopes?: readonly string[] | undefined;
  readonly permissions?: readonly Permission[];
}

/** A caller without a token, as a service binding is. */
function callerOf(org: string, { names, scopes, permissions = ["secrets:read", "secrets:write", "secrets:resolve"] }: Who = {}): Caller {
  return createCaller({
    org,
    subject: "tester",
    tokenId: null,
    lineage: null,
    expiresAt: null,
    verifiedUntil: null,
    leaseSeconds: 0,
    permissions: new Set(permissions),
    secretScopes: (scopes as readonly Pattern[] | undefined) ?? null,
    secretNames: (names as readonly Pattern[] | undefined) ?? null,
    services: null,
    requestId: newId("req"),
    ip: null,
    userAgent: null,
  });
}

/** What verbs need, at a time. What is left to do after the reply is done before the next call. */
async function needsAt(now: Date = new Date(), vars: Partial<Record<keyof WorkerEnv, unknown>> = {}) {
  const changed = { ...env, ...vars } as WorkerEnv;
  const pending: Promise<unknown>[] = [];
  const config = await loadConfig(changed);
  const call = { address: "https://keyhole.test", defer: (work: Promise<unknown>) => void pending.push(work) };
  return { ...needsFrom(changed, config, now, call), settle: () => Promise.all(pending) };
}

/** The verbs of objects for one organization, by short names. */
export async function openObjects(org: string, who: Who = {}, vars: Partial<Record<keyof WorkerEnv, unknown>> = {}) {
  const needs = await needsAt(new Date(), vars);
  const caller = () => callerOf(org, who);
  return {
    needs,
    caller,
    put: (scope: string, values: Record<string, Given>, cas?: number) =>
      replaceObject(needs, caller(), scope as Scope, valuesOf(values) as Map<string, SecretValue>, { cas }),
    patch: (scope: string, values: Record<string, Given>, cas?: number) => patchObject(needs, caller(), scope as Scope, valuesOf(values), { cas }),
    remove: (scope: string) => deleteObject(needs, caller(), scope as Scope),
    async get(scope: string) {
      const by = caller();
      const selection = await resolveSecrets({ ...needs, now: new Date() }, by, objectRequest(scope as Scope));
      const object = await releaseSecrets(needs, selection, (release) => readObject(release, by));
      const shown = ({ bytes, encoding }: SecretValue) => {
        if (encoding === "base64") return bytes.toBase64();
        const shownText = new TextDecoder().decode(bytes);
        return encoding === "json" ? { json: shownText } : shownText;
      };
      return { ...object, data: Object.fromEntries(object.values.map(({ key, value }) => [key, shown(value)])) };
    },
  };
}
