import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveWorker } from "../../../../scripts/local/serve-worker.ts";
import { readVars } from "../../../../scripts/settings.ts";
import { TEST_SECRETS } from "../../../support/test-secrets.ts";
import { tokenFor } from "../../cli/support/start-keyhole.ts";
import { prepareServer } from "../prepare-server.ts";

/** A Keyhole whose services may be on this machine. */
export interface UseKeyhole {
  readonly url: string;
  readonly port: number;
  /** Calls the API with every permission. */
  readonly call: (method: string, path: string, body?: object) => Promise<Response>;
  /** Stores a value that may go to this machine. */
  readonly setSecret: (name: string, value: string, hosts?: readonly string[]) => Promise<void>;
  /** Stores a value as `<NAME>_KEY`, and makes a service that uses it. */
  readonly serve: (name: string, value: string, definition: object) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Starts one with an empty database. `hosts` are services of a name of their own. */
export async function startUseKeyhole(hosts: Readonly<Record<string, string>> = {}): Promise<UseKeyhole> {
  const persistTo = mkdtempSync(join(tmpdir(), "keyhole-uses-"));
  const bindings = { ...readVars(), ...TEST_SECRETS, ALLOW_INSECURE_ORIGINS: "true", STALE_SECONDS: "1", USE_HOSTS: JSON.stringify(hosts) };
  const { url, stop } = await serveWorker({ port: 0, persistTo, bindings, period: null, onLine: () => undefined, prepared: await prepareServer(persistTo) });
  const token = await tokenFor("acme");
  const call = (method: string, path: string, body?: object) =>
    fetch(new URL(path, url), {
      method,
      headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
      ...(body && { body: JSON.stringify(body) }),
    });
  const must = async (reply: Response) => {
    if (!reply.ok) throw new Error(await reply.text());
  };
  const setSecret = async (name: string, value: string, hosts: readonly string[] = ["127.0.0.1"]) =>
    must(await call("PUT", `/v1/scopes/global/secrets/${name}`, { value, hosts }));
  return {
    url: url.origin,
    port: Number(url.port),
    call,
    setSecret,
    async serve(name, value, definition) {
      await setSecret(`${name.toUpperCase()}_KEY`, value);
      await must(await call("PUT", `/v1/services/${name}`, { scopes: ["global"], ...definition }));
    },
    async close() {
      await stop();
      rmSync(persistTo, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}
