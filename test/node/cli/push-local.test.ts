import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Candidate, comparePush } from "../../../src/cli/local/compare-push.ts";
import { linksOf } from "../../../src/cli/local/links-of.ts";
import type { LocalScope } from "../../../src/cli/local/local-scope.ts";
import { type Placing, placeScopes } from "../../../src/cli/local/place-scopes.ts";
import { writePush } from "../../../src/cli/local/write-push.ts";
import type { Client } from "../../../src/client/create-client.ts";
import { KeyholeError } from "../../../src/client/keyhole-error.ts";
import { MAX_IMPORTED } from "../../../src/contract/import.ts";
import type { Scope } from "../../../src/contract/scope.ts";
import { MAX_BODY_BYTES } from "../../../src/contract/secret.ts";

/** A deployment in memory, as far as a push asks it. What `before` throws is what it answers to a write. */
function fakeDeployment(held: Record<string, string> = {}) {
  const values = new Map(Object.entries(held));
  const calls: { scope: string; names: string[]; bytes: number }[] = [];
  const hooks = { before: (_key: string) => {} };
  const secrets = {
    async import(scope: string, given: Record<string, string>, options: unknown) {
      expect(options).toMatchObject({ dryRun: true });
      const names = Object.keys(given);
      calls.push({ scope, names, bytes: Buffer.byteLength(JSON.stringify({ scope, secrets: given })) });
      const of = (fits: (there: string | undefined, name: string) => boolean) => names.filter((name) => fits(values.get(`${scope} ${name}`), name));
      const taken = (name: string) => !name.startsWith("AWS_");
      return {
        created: of((there, name) => taken(name) && there === undefined),
        updated: of((there, name) => taken(name) && there !== undefined && there !== given[name]),
        unchanged: of((there, name) => taken(name) && there === given[name]),
        skipped: of((_, name) => !taken(name)).map((name) => ({ name, reason: "reserved" })),
      };
    },
    async set(scope: string, name: string, value: string, _fields = {}, { ifNoneMatch }: { ifNoneMatch?: string } = {}) {
      const key = `${scope} ${name}`;
      hooks.before(key);
      if (ifNoneMatch === "*" && values.has(key)) throw new KeyholeError("version-conflict", "It is another one.", { status: 412 });
      const changed = values.get(key) !== value;
      values.set(key, value);
      return { changed };
    },
  };
  return { client: { secrets } as unknown as Client, values, calls, hooks };
}

const candidate = (name: string, value: string, to = "global") => ({ secret: { name, scope: to }, value, to }) as unknown as Candidate;
const states = (found: readonly { secret: { name: string }; state: string }[]) => Object.fromEntries(found.map(({ secret, state }) => [secret.name, state]));

describe("the scopes of a machine in a deployment", () => {
  const [API, WEB, PROD] = ["repo:/w/api", "repo:/w/web", "namespace:prod"] as unknown as [LocalScope, LocalScope, LocalScope];
  const suggest = (folder: string) => (folder === "/w/api" ? ("repo:acme/api" as Scope) : undefined);
  const placed = async (given: string[], scopes: LocalScope[], ask?: Placing["ask"]) => Object.fromEntries(await placeScopes(scopes, { given, suggest, ask }));

  it("are their own, and for a folder what is said or answered", async () => {
    expect(await placed(["repo:acme/api"], [API, PROD])).toEqual({ [API]: "repo:acme/api", [PROD]: "namespace:prod" });
    expect(await placed(["repo:/w/web=repo:acme/web", "namespace:prod=team:pay"], [WEB, PROD])).toEqual({ [WEB]: "repo:acme/web", [PROD]: "team:pay" });
    const asked: unknown[] = [];
    const ask: Placing["ask"] = async (scope, suggestion) => {
      asked.push([scope, suggestion]);
      return `repo:answered/${asked.length}`;
    };
    expect(await placed(["repo:/w/web=repo:acme/web"], [API, WEB], ask)).toEqual({ [API]: "repo:answered/1", [WEB]: "repo:acme/web" });
    expect(asked).toEqual([[API, "repo:acme/api"]]);
  });

  it.each([
    ["a folder without one", [], [API, WEB], "does not know repo:/w/api, repo:/w/web"],
    ["one for several folders", ["repo:acme/all"], [API, WEB], "there are 2 repositories to push"],
    ["one for no folder", ["repo:acme/all"], [PROD], "there is no repository to push"],
    ["the same for two", ["repo:/w/api=repo:acme/all", "repo:/w/web=repo:acme/all"], [API, WEB], "would both be repo:acme/all"],
    ["the same as another one's own", ["repo:/w/api=namespace:prod"], [API, PROD], "would both be namespace:prod"],
    ["two for one", ["repo:acme/api", "repo:/w/api=repo:acme/other"], [API], "is given twice"],
    ["one for what is not pushed", ["repo:/w=repo:acme/api"], [API], "there is nothing to push in repo:/w"],
    ["what is no scope there", ["repo:/w/api"], [API], "not a scope of a deployment"],
  ])("are refused with %s", async (_, given, scopes, message) => {
    await expect(placed(given, scopes)).rejects.toThrow(message);
  });
});

it("says what a deployment is to be told of the links of a machine, which do not come along", () => {
  const of = (scope: string, to: string) => ({ secret: { scope }, to }) as unknown as Candidate;
  const parents = { "repo:/w/api": "namespace:prod", "repo:/w/web": "repo:/w", "repo:/w/sub": "repo:/w/api" } as unknown as Record<string, LocalScope>;
  const pushed = [of("repo:/w/api", "repo:acme/api"), of("repo:/w/web", "repo:acme/web"), of("repo:/w/sub", "repo:acme/sub"), of("global", "global")];
  expect(linksOf(parents, pushed).map((text) => /`keyhole (.*)`/.exec(text)?.[1])).toEqual([
    "scope put repo:acme/api --parent namespace:prod",
    "scope put repo:acme/web --parent repo:OWNER/NAME",
    "scope put repo:acme/sub --parent repo:acme/api",
  ]);
});

describe("a push", () => {
  const ALL = [candidate("SAME", "1"), candidate("OTHER", "mine"), candidate("NEW", "3"), candidate("AWS_KEY", "4")];
  const HELD = { "global SAME": "1", "global OTHER": "theirs" };

  it("writes what is not there, and leaves what differs or is reserved", async () => {
    const { client, values } = fakeDeployment(HELD);
    const compared = await comparePush(client, ALL);
    expect(states(compared)).toEqual({ SAME: "same", OTHER: "different", NEW: "new", AWS_KEY: "reserved" });
    expect([...values]).toEqual(Object.entries(HELD));
    expect(states(await writePush(client, compared, false))).toEqual({ SAME: "same", OTHER: "different", NEW: "written", AWS_KEY: "reserved" });
    expect(Object.fromEntries(values)).toEqual({ ...HELD, "global NEW": "3" });
  });

  it("replaces what differs when told, and nothing else", async () => {
    const { client, values } = fakeDeployment(HELD);
    expect(states(await writePush(client, await comparePush(client, ALL), true))).toEqual({
      SAME: "same",
      OTHER: "replaced",
      NEW: "written",
      AWS_KEY: "reserved",
    });
    expect(values.get("global OTHER")).toBe("mine");
  });

  it.each([false, true])("leaves alone what somebody else has made since it was compared, with overwrite: %s", async (overwrite) => {
    const { client, values } = fakeDeployment();
    const compared = await comparePush(client, [candidate("NEW", "mine")]);
    values.set("global NEW", "theirs");
    expect(states(await writePush(client, compared, overwrite))).toEqual({ NEW: "different" });
    expect(values.get("global NEW")).toBe("theirs");
  });

  it("that breaks off is done again, and goes on with the rest", async () => {
    const { client, values, hooks } = fakeDeployment();
    const all = ["A", "B", "C"].map((name) => candidate(name, name));
    hooks.before = (key) => {
      if (key === "global B") throw new KeyholeError("unreachable", "It cannot be reached.");
    };
    await expect(writePush(client, await comparePush(client, all), false)).rejects.toThrow("cannot be reached");
    hooks.before = () => {};
    const again = await comparePush(client, all);
    expect(states(again)).toEqual({ A: "same", B: "new", C: "new" });
    expect(states(await writePush(client, again, false))).toEqual({ A: "same", B: "written", C: "written" });
    expect(values.size).toBe(3);
  });

  it("compares each secret once, in calls of one scope that a deployment takes", async () => {
    const value = fc.oneof(
      fc.string({ minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 65_536 }).map((length) => "\u0001".repeat(length)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(value, fc.constantFrom("global", "team:a", "repo:a/b")), { minLength: 1, maxLength: 30 }), async (given) => {
        const { client, calls } = fakeDeployment();
        const all = given.map(([text, to], n) => candidate(`N${n}`, text, to)).sort((a, b) => (a.to < b.to ? -1 : a.to > b.to ? 1 : 0));
        expect(states(await comparePush(client, all))).toEqual(Object.fromEntries(all.map(({ secret }) => [secret.name, "new"])));
        for (const { bytes } of calls) expect(bytes).toBeLessThanOrEqual(MAX_BODY_BYTES);
        expect(calls.flatMap(({ scope, names }) => names.map((name) => `${scope} ${name}`)).sort()).toEqual(
          all.map(({ to, secret }) => `${to} ${secret.name}`).sort(),
        );
      }),
      { numRuns: 20 },
    );
    const { client, calls } = fakeDeployment();
    await comparePush(
      client,
      Array.from({ length: MAX_IMPORTED + 1 }, (_, n) => candidate(`N${n}`, "1")),
    );
    expect(calls.map(({ names }) => names.length)).toEqual([MAX_IMPORTED, 1]);
  });
});
