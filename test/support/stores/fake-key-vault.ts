import { AzureError, vaultError } from "./azure-error.ts";
import type { FakeAzure } from "./fake-azure.ts";

interface Version {
  readonly id: string;
  readonly value: string;
  readonly contentType?: string;
  readonly tags?: Readonly<Record<string, string>>;
  enabled: boolean;
  readonly created: number;
}

/** A secret as Key Vault has it. */
export interface AzureSecret {
  /** As it was first written. */
  readonly name: string;
  /** The newest last. */
  readonly versions: Version[];
  /** When it was deleted, in seconds since 1970. */
  deleted?: number;
}

/** What Key Vault does (https://learn.microsoft.com/rest/api/keyvault/secrets/operation-groups). */
export async function answerVault(azure: FakeAzure, request: Request): Promise<Response> {
  const { pathname, searchParams } = new URL(request.url);
  requireToken(azure, request);
  azure.asked.push(`${request.method} ${pathname}`);
  if (azure.denied.has(request.method)) throw vaultError(403, "Forbidden", "The user does not have the permission.", "ForbiddenByRbac");
  if (!searchParams.has("api-version")) throw vaultError(400, "BadParameter", "api-version must be specified.");
  const [, collection, name = "", version = ""] = pathname.split("/");
  if (name !== "" && !/^[0-9a-zA-Z-]{1,127}$/.test(name)) throw vaultError(400, "BadParameter", "The request URI contains an invalid name.");
  const secret = azure.secrets.get(name.toLowerCase());
  if (collection === "secrets") {
    if (request.method === "PUT") return set(azure, name, (await request.json()) as SetBody);
    if (name === "")
      return page(
        azure,
        request,
        [...azure.secrets.values()].filter(isAlive).map((secret) => itemOf(azure, secret)),
      );
    if (!secret || !isAlive(secret)) throw vaultError(404, "SecretNotFound", `A secret with (name/id) ${name} was not found in this key vault.`);
    if (request.method === "DELETE") return remove(azure, secret);
    if (version === "versions")
      return page(
        azure,
        request,
        secret.versions.map((version) => itemOf(azure, secret, version)),
      );
    return get(azure, secret, version);
  }
  if (collection === "deletedsecrets" && secret?.deleted !== undefined) {
    if (request.method === "GET") return Response.json(deletedBundle(azure, secret));
    if (request.method === "DELETE") azure.secrets.delete(name.toLowerCase());
    else delete secret.deleted;
    return request.method === "DELETE" ? new Response(null, { status: 204 }) : Response.json(bundle(azure, secret));
  }
  throw vaultError(404, "SecretNotFound", "Deleted secret not found.");
}

interface SetBody {
  readonly value?: string;
  readonly contentType?: string;
  readonly tags?: Record<string, string>;
}

function set(azure: FakeAzure, name: string, { value, contentType, tags }: SetBody): Response {
  const secret = azure.secrets.get(name.toLowerCase()) ?? { name, versions: [] };
  if (!isAlive(secret)) throw vaultError(409, "Conflict", `Secret ${name} is currently in a deleted but recoverable state.`, "ObjectIsDeletedButRecoverable");
  if (typeof value !== "string" || new TextEncoder().encode(value).length > 25_600)
    throw vaultError(400, "BadParameter", "The value is larger than 25k characters.");
  const isTagged = Object.entries(tags ?? {}).length <= 15 && Object.entries(tags ?? {}).every((tag) => tag.every((text) => text.length <= 256));
  if (!isTagged) throw vaultError(400, "BadParameter", "Tags are too many, or too long.");
  const id = crypto.randomUUID().replaceAll("-", "");
  secret.versions.push({
    id,
    value,
    ...(contentType !== undefined && { contentType }),
    ...(tags && { tags }),
    enabled: true,
    created: Math.floor(azure.now() / 1000),
  });
  azure.secrets.set(name.toLowerCase(), secret);
  return Response.json(bundle(azure, secret));
}

function get(azure: FakeAzure, secret: AzureSecret, id: string): Response {
  const version = id === "" ? secret.versions.at(-1) : secret.versions.find((version) => version.id === id.toLowerCase());
  if (!version) throw vaultError(404, "SecretNotFound", "There is no such version.");
  if (!version.enabled) throw vaultError(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled");
  return Response.json(bundle(azure, secret, version));
}

function remove(azure: FakeAzure, secret: AzureSecret): Response {
  secret.deleted = Math.floor(azure.now() / 1000);
  return Response.json(deletedBundle(azure, secret));
}

const isAlive = ({ deleted }: AzureSecret) => deleted === undefined;

function itemOf(azure: FakeAzure, secret: AzureSecret, version?: Version): object {
  const { value: _, id, ...rest } = bundle(azure, secret, version ?? secret.versions.at(-1)) as { value: string; id: string };
  return { id: version ? id : id.slice(0, id.lastIndexOf("/")), ...rest };
}

function bundle({ vault }: FakeAzure, { name, versions }: AzureSecret, version = versions.at(-1)): object {
  if (!version) throw new Error("a secret has a version");
  const { id, enabled, created, ...rest } = version;
  const attributes = { enabled, created, updated: created, recoveryLevel: "Recoverable+Purgeable", recoverableDays: 90 };
  return { ...rest, id: `${vault.origin}/secrets/${name}/${id}`, attributes };
}

function deletedBundle(azure: FakeAzure, secret: AzureSecret): object {
  const { value: _, ...rest } = bundle(azure, secret) as { value: string };
  const deletedDate = secret.deleted ?? 0;
  return { ...rest, recoveryId: `${azure.vault.origin}/deletedsecrets/${secret.name}`, deletedDate, scheduledPurgeDate: deletedDate + 90 * 86_400 };
}

/** 25 to a page; the address of the next one has the port that none has to name. */
function page({ vault }: FakeAzure, request: Request, all: readonly object[]): Response {
  const { pathname, searchParams } = new URL(request.url);
  const most = Number(searchParams.get("maxresults") ?? 25);
  if (!(most >= 1 && most <= 25)) throw vaultError(400, "BadParameter", "maxresults must be between 1 and 25.");
  const from = Number(atob(searchParams.get("$skiptoken") ?? "") || 0);
  const to = from + most;
  const port = vault.protocol === "https:" && vault.port === "" ? ":443" : "";
  const next = `${vault.origin}${port}${pathname}?api-version=${searchParams.get("api-version")}&$skiptoken=${btoa(String(to))}&maxresults=${most}`;
  return Response.json({ value: all.slice(from, to), nextLink: to < all.length ? next : null });
}

function requireToken({ authority, tenant, tokens, now }: FakeAzure, request: Request): void {
  const [, token = ""] = /^Bearer (.+)$/.exec(request.headers.get("Authorization") ?? "") ?? [];
  if ((tokens.get(token) ?? 0) > now()) return;
  const challenge = `Bearer authorization="${new URL(`/${tenant}`, authority).href}", resource="https://vault.azure.net"`;
  const { body } = vaultError(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.");
  throw new AzureError(401, body, { "WWW-Authenticate": challenge });
}
