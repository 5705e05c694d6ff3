import fc from "fast-check";
import { scopeSchema } from "../../src/contract/scope.ts";
import { objectPathOf } from "../../src/contract/vault-path.ts";
import type { Route } from "./api.ts";
import { hostileSegment } from "./hostile.ts";
import { DELETED, NAMES, SCOPES } from "./valid.ts";

const PLACES = SCOPES.map((scope) => objectPathOf(scopeSchema.parse(scope)));
const GONE = objectPathOf(scopeSchema.parse(DELETED.scope));
const folder = fc.constantFrom(...PLACES, GONE, GONE, "team", "acme", "a/b", "myapp/config", "repo/team/x", "team/pay/db", "builtin");
/** A secret that there is, or may be, and a name alone. */
const secret = fc.oneof(
  { weight: 2, arbitrary: fc.constant(`${GONE}/${DELETED.name}`) },
  { weight: 4, arbitrary: fc.nat(PLACES.length - 1).map((n) => `${PLACES[n]}/${NAMES[n]}`) },
  fc.tuple(folder, fc.constantFrom(...NAMES)).map((both) => both.join("/")),
  fc.constantFrom(...NAMES),
);
const METHODS_OF_LOGIN = ["jwt", "kubernetes", "jwt/prod", "a/b/c"];

/** Paths of an operation of Vault's wire: parameters of several segments, odd ones among them, and an organization before the mount. */
export function vaultPathFor({ path, operationId }: Route): fc.Arbitrary<string> {
  const isSecret = path.startsWith("/v1/kv/");
  const named = isSecret ? (/Metadata/.test(operationId) ? fc.oneof(secret, folder) : secret) : folder;
  const place = path.startsWith("/v1/sys/") ? folder.map((below) => `secret/${below}`) : named;
  const odd = fc.tuple(place, hostileSegment).map((both) => both.join("/"));
  const mount = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...METHODS_OF_LOGIN) }, hostileSegment);
  const org = fc.oneof({ weight: 12, arbitrary: fc.constant("/v1/") }, fc.constantFrom("/v1/acme/", "/v1/globex/", "/v1/platform/"));
  return fc.record({ place: fc.oneof({ weight: 8, arbitrary: place }, odd), mount, org }).map((parts) =>
    path
      .replace("{path}", () => parts.place)
      .replace("{mount}", () => parts.mount)
      .replace("/v1/", parts.org),
  );
}
