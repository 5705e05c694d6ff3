import * as z from "zod";
import { callStore, readJson, type StoreReply } from "./call-store.ts";
import { type DriverNeeds, type StoreCredentials, StoreError, type StoreRefusal } from "./store-driver.ts";
import { definedPath, VAULT_PORT, type VaultStore, vaultOrigin } from "./vault-store.ts";
import { withAccess } from "./with-access.ts";

/** A request to Vault. */
interface VaultCall {
  readonly method: "GET" | "POST" | "DELETE";
  /** Below `/v1/`, encoded. */
  readonly path: string;
  readonly body?: object;
  readonly repeatable: boolean;
}

export type AskVault = (call: VaultCall) => Promise<StoreReply>;

/** A token as it goes into a header. */
const TOKEN = /^[\x21-\x7e]{1,16384}$/;
const loginSchema = z.object({ auth: z.object({ client_token: z.string().regex(TOKEN), lease_duration: z.number().min(0) }) });

/**
 * How a Vault is asked: with a token, or with one that a role gives for a token of Keyhole's
 * (https://openbao.org/api-docs/auth/jwt/), whose audience is the Vault's own address.
 *
 * @returns A function whose replies are none of who may not ask.
 */
export function openVaultAccess(store: VaultStore, credentials: StoreCredentials | undefined, needs: DriverNeeds): AskVault {
  const url = vaultOrigin(store);
  const allowed: DriverNeeds = { ...needs, rules: { ...needs.rules, ports: [...(needs.rules.ports ?? []), VAULT_PORT] } };
  const send = ({ method, path, body, repeatable }: VaultCall, token?: string) => {
    const headers = headersOf(store, token);
    if (body) headers.set("Content-Type", "application/json");
    // Without a token it is a login, and changes nothing.
    const changes = method !== "GET" && token !== undefined;
    return callStore(allowed, { url: new URL(`/v1/${path}`, url), method, headers, body: body ? JSON.stringify(body) : null, repeatable, changes });
  };
  const ask = async (call: VaultCall, token: string): Promise<StoreReply> => {
    const reply = await send(call, token);
    if (reply.status === 401 || reply.status === 403) throw new StoreError(await whyNot(send, token));
    return reply;
  };
  if (credentials && "token" in credentials) {
    const token = credentials.token.trim();
    if (!TOKEN.test(token)) throw new StoreError("credential");
    return (call) => ask(call, token);
  }
  if (!credentials || !("role" in credentials)) throw new StoreError("credential");
  const { role } = credentials;
  const path = `auth/${definedPath(credentials.jwt_auth)}/login`;
  const fetch = async () => {
    const jwt = await needs.identityToken(url.origin);
    const reply = await send({ method: "POST", path, body: { role, jwt }, repeatable: true });
    if (reply.status >= 400) throw new StoreError("credential");
    const { auth } = readJson(reply, loginSchema);
    return { token: auth.client_token, seconds: auth.lease_duration };
  };
  return (call) => withAccess(allowed, { from: ["vault", url.href, store.namespace, path, role], fetch }, (token) => ask(call, token));
}

/** Vault says the same of a token that it does not know as of one that may not: the token is asked about itself. */
async function whyNot(send: (call: VaultCall, token: string) => Promise<StoreReply>, token: string): Promise<StoreRefusal> {
  const { status } = await send({ method: "GET", path: "auth/token/lookup-self", repeatable: true }, token);
  return status === 200 ? "permission" : "credential";
}

function headersOf({ namespace }: VaultStore, token: string | undefined): Headers {
  const headers = new Headers({ Accept: "application/json", "X-Vault-Request": "true" });
  if (token !== undefined) headers.set("X-Vault-Token", token);
  if (namespace !== undefined) headers.set("X-Vault-Namespace", definedPath(namespace));
  return headers;
}
