import fc from "fast-check";
import { isOfVault, parametersIn, type Route } from "./api.ts";
import { CANARY, hostileHeader } from "./hostile.ts";
import type { Known } from "./valid.ts";
import type { Header } from "./wire-headers.ts";

const ODD_HEADERS = [
  "If-Match",
  "If-None-Match",
  "Accept",
  "Accept-Encoding",
  "Content-Encoding",
  "Range",
  "Origin",
  "Cookie",
  "X-HTTP-Method-Override",
  "X-Forwarded-For",
  "CF-Connecting-IP",
  "User-Agent",
  "X-Request-Id",
  "X-Original-URL",
];
const VAULT_HEADERS = ["X-Vault-Token", "X-Vault-Namespace", "X-Vault-Wrap-TTL", "X-Vault-Request"];
const AUTHORIZATIONS = [
  "",
  "Bearer",
  "Bearer ",
  "bearer x",
  `Bearer ${CANARY}`,
  "Basic YTpi",
  "Bearer a.b.c",
  "Bearer e30.e30.e30",
  "Bearer a.b.c, Bearer a.b.c",
  `Bearer ${"a".repeat(9000)}.b.c`,
  `Bearer ${"a.".repeat(3000)}`,
];

/** A header's name, and what it says the second time; `undefined` for the same again. */
export interface Again {
  readonly name: string;
  readonly text: string | undefined;
}

/** Mostly nothing; else one of the headers that a request has one of. */
export const again: fc.Arbitrary<Again | undefined> = fc.oneof(
  { weight: 40, arbitrary: fc.constant(undefined) },
  fc.record({ name: fc.constant("Authorization"), text: fc.option(fc.constantFrom(...AUTHORIZATIONS), { nil: undefined, freq: 2 }) }),
  fc.record({ name: fc.constant("Content-Type"), text: fc.constantFrom(undefined, "application/json", "text/plain", "") }),
  fc.record({ name: fc.constant("Content-Length"), text: fc.constantFrom(undefined, "0", "1", "99999999999", "-1", "") }),
);

/** The headers of a request, beside its token and content type: those of the operation, odd ones, one twice, another Authorization, very many, a long one. */
export function headersFor(known: Known, route: Route): fc.Arbitrary<Header[]> {
  const good = parametersIn(route, "header").map(({ name }) => {
    const tag = fc.oneof(fc.constantFrom("*", '"x.1"', ...known.secretIds.map((id) => `"${id}.1"`)), hostileHeader);
    return fc.option(
      tag.map((text): Header => [name, text]),
      { nil: undefined, freq: 2 },
    );
  });
  const oddNames = fc.constantFrom(...ODD_HEADERS, ...(isOfVault(route) ? VAULT_HEADERS : []));
  const odd = fc.tuple(oddNames, hostileHeader).map((pair): Header => pair);
  const authorization = fc.tuple(fc.constant("Authorization"), fc.oneof(fc.constantFrom(...AUTHORIZATIONS), hostileHeader)).map((pair): Header => pair);
  const twice = fc.tuple(fc.constantFrom(...ODD_HEADERS), hostileHeader, hostileHeader).map(([name, ...texts]) => texts.map((text): Header => [name, text]));
  const flood = fc.constantFrom(100, 500).map((count) => Array.from({ length: count }, (_, n): Header => [`X-Flood-${n}`, "a"]));
  const long = fc.constant<Header[]>([["X-Long", "a".repeat(12_000)]]);
  const some = fc.tuple(fc.tuple(...good), fc.array(odd, { maxLength: 3 })).map(([own, more]) => [...own.filter((pair) => pair !== undefined), ...more]);
  const usual = fc.tuple(...good).map((own) => own.filter((pair) => pair !== undefined));
  return fc.oneof(
    { weight: 12, arbitrary: usual },
    { weight: 3, arbitrary: some },
    authorization.map((pair) => [pair]),
    twice,
    fc.oneof(flood, long),
  );
}
