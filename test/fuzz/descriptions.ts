import { getPath } from "hono/utils/url";
import { MOUNT_NAMES } from "../../src/contract/org-name.ts";
import { isVaultPath } from "../../src/worker/http/vault/vault-path.ts";
import { type Api, findRoute, type Route, routesOf } from "./api.ts";

/** A description of what a deployment answers, with its operations: of its own API, or of Vault's wire. */
export interface Description {
  readonly wire: "native" | "vault";
  readonly api: Api;
  readonly routes: readonly Route[];
}

/** What a request reaches. */
export interface Reached {
  readonly description: Description;
  /** `undefined` where there is no such operation. */
  readonly route: Route | undefined;
}

/** Both descriptions of a deployment. */
export async function readDescriptions(get: (path: string) => Promise<Response>): Promise<readonly [native: Description, vault: Description]> {
  const read = async (wire: Description["wire"], path: string): Promise<Description> => {
    const api = (await (await get(path)).json()) as Api;
    return { wire, api, routes: routesOf(api) };
  };
  return [await read("native", "/openapi.json"), await read("vault", "/openapi-vault.json")];
}

/** The operation that a request reaches, whatever it was meant for, and the description that says how it is answered. */
export function reachedBy([native, vault]: readonly [Description, Description], method: string, target: string): Reached {
  // As the Worker sees it: the URL parser has taken the dots out.
  const { href, pathname } = new URL(`https://keyhole.test${target}`);
  if (!isVaultPath(getPath(new Request(href)))) return { description: native, route: findRoute(native.routes, method, pathname) };
  return { description: vault, route: findVaultRoute(vault.routes, method, pathname) };
}

const MOUNTS: ReadonlySet<string> = new Set(MOUNT_NAMES);

/** In a path of Vault's wire an organization may stand before the mount, a parameter is any number of segments, and PUT is POST. */
function findVaultRoute(routes: readonly Route[], method: string, pathname: string): Route | undefined {
  if (!pathname.startsWith("/v1/")) return undefined;
  const all = pathname.slice("/v1/".length).replace(/\/$/, "").split("/").map(decode);
  const segments = MOUNTS.has(all[0] ?? "") ? all : all.slice(1);
  const wanted = { HEAD: "GET", PUT: "POST" }[method] ?? method;
  const matching = routes.filter((route) => route.method === wanted && isAt(route.path.split("/").slice(2), segments));
  return matching.find(({ path }) => !path.includes("{")) ?? matching[0];
}

function isAt(template: readonly string[], segments: readonly string[]): boolean {
  const at = template.findIndex((part) => part.startsWith("{"));
  if (at === -1) return template.length === segments.length && template.every((part, n) => part === segments[n]);
  const after = template.slice(at + 1);
  const given = segments.slice(at, segments.length - after.length);
  const fixed = [segments.slice(0, at), segments.slice(segments.length - after.length)];
  const isSame = JSON.stringify(fixed) === JSON.stringify([template.slice(0, at), after]);
  // Of several segments one may be empty, to be refused; in the middle of a path one alone is none.
  return isSame && given.length > 0 && (given.length > 1 || given[0] !== "" || after.length === 0);
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return "%";
  }
}
