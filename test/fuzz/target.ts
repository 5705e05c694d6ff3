import fc from "fast-check";
import { type Api, isOfVault, parametersIn, type Route } from "./api.ts";
import { CANARY, hostileSegment, hostileText } from "./hostile.ts";
import { type Known, validFor } from "./valid.ts";
import { vaultPathFor } from "./vault-path-for.ts";

/** Paths of an operation, with valid and odd parameters, and bent ones. */
export function pathFor(api: Api, known: Known, route: Route): fc.Arbitrary<string> {
  if (isOfVault(route)) return bentOrNot(vaultPathFor(route));
  const segments = parametersIn(route, "path").map(({ name, schema = {} }) => {
    const good = validFor(api, known, schema, name).map((value) => encodeURIComponent(String(value).toWellFormed()));
    return fc.tuple(fc.constant(name), fc.oneof({ weight: 6, arbitrary: good }, hostileSegment));
  });
  const good = fc.tuple(...segments).map((pairs) => pairs.reduce((path, [name, segment]) => path.replace(`{${name}}`, () => segment), route.path));
  return bentOrNot(good);
}

function bentOrNot(good: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(
    { weight: 15, arbitrary: good },
    fc.tuple(good, hostileSegment, fc.nat(6)).map(([path, odd, trick]) => bend(path, odd, trick)),
  );
}

function bend(path: string, odd: string, trick: number): string {
  const [, first = "", ...rest] = path.split("/");
  const ways = [
    `${path}/`,
    `/${path}`,
    `/${first}/../${first}/${rest.join("/")}`,
    `/${first}//${rest.join("/")}`,
    `${path};a=b`,
    `${path}/${odd}`,
    `/${odd}${path}`,
  ];
  return ways[trick] ?? path;
}

/** Queries of an operation. */
export function queryFor(api: Api, known: Known, route: Route): fc.Arbitrary<string> {
  const parameters = parametersIn(route, "query");
  const pair = (name: string, text: string) => `${encodeURIComponent(name)}=${encodeURIComponent(text.toWellFormed())}`;
  const good = parameters.map(({ name, schema = {} }) => {
    const value = name === "cursor" ? cursor : validFor(api, known, schema, name);
    return fc.option(
      value.map((given) => [given].flat().map((one) => pair(name, String(one)))),
      { nil: [], freq: 2 },
    );
  });
  const names = fc.constantFrom(...parameters.map(({ name }) => name), "x", "__proto__", "format", "access_token");
  const odd = fc.tuple(names, fc.oneof(hostileText, cursor, fc.constant(CANARY))).map(([name, text]) => pair(name, text));
  const broken = fc.constantFrom(
    "&&&",
    "=",
    "%",
    "a=%zz",
    "limit=%ff",
    "cursor=%00",
    "x[]=1",
    "scope=global&scope=global",
    "limit=1&limit=2",
    "?",
    `x=${"a".repeat(20_000)}`,
    "a&".repeat(2000),
    "limit",
    "limit=",
  );
  const parts = fc.oneof(
    { weight: 5, arbitrary: fc.tuple(...good).map((lists) => lists.flat()) },
    fc.array(fc.oneof(odd, broken), { maxLength: 4 }),
    fc.tuple(...good, odd).map((all) => all.flat()),
  );
  const none = { weight: parameters.length > 0 ? 1 : 6, arbitrary: fc.constant([]) };
  return fc.oneof(none, { weight: parameters.length > 0 ? 8 : 1, arbitrary: parts }).map((all) => (all.length > 0 ? `?${all.join("&")}` : ""));
}

/** Positions in a list, of ours and of nobody's. */
const cursor: fc.Arbitrary<string> = fc
  .oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.integer(),
    fc.constantFrom<unknown>(0, -1, 1e308, 2 ** 53, 2 ** 63, { name: "A", scope: "global" }, { createdAt: 1e300, id: "x" }, { createdAt: 2 ** 60, id: "\0" }),
    fc.record({ name: hostileText, scope: hostileText }),
  )
  .map((position) => new TextEncoder().encode(JSON.stringify(position)).toBase64({ alphabet: "base64url", omitPadding: true }));
