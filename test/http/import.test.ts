import { env } from "cloudflare:workers";
import { parse } from "dotenv";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { DOUBT_KINDS } from "../../src/contract/import.ts";
import { MAX_NESTING, NESTED_TOO_DEEP } from "../../src/contract/json-nesting.ts";
import { envName, type SecretName } from "../../src/contract/secret-name.ts";
import { settleCiphertexts } from "../../src/worker/secrets/settle-ciphertexts.ts";
import { at, type CallOptions, call, put, type Reply, resolve } from "../support/call.ts";
import { eventsOf } from "../support/events-of.ts";
import { putExpired } from "../support/put-expired.ts";
import { sealByHand } from "../support/seal-by-hand.ts";
import type { TokenClaims } from "../support/sign.ts";

type Query = { readonly scope?: string; readonly dry_run?: boolean; readonly more?: string };

const importJson = (secrets: unknown, { token = {}, scope = "global", dry_run = false, more = "" }: Query & CallOptions = {}) =>
  call(`POST /v1/import?dry_run=${dry_run}${more}`, { token, json: { scope, secrets } });
const importEnv = (body: BodyInit, { token = {}, scope = "global", dry_run = false, more = "" }: Query & CallOptions = {}) =>
  call(`POST /v1/import?scope=${encodeURIComponent(scope)}&dry_run=${dry_run}${more}`, { token, body, headers: { "Content-Type": "text/plain" } });
const refused = ({ status, body }: Reply) => [status, body.code];
const pointers = ({ body }: Reply) => body.errors.map(({ pointer }: { pointer: string }) => pointer);
const countIn = async (org: string) => (await call("GET /v1/secrets?limit=200", { token: { org } })).body.secrets.length;
const numbered = (count: number, value = (n: number) => `value ${n}`) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`N${n}`, value(n)]));

async function valuesOf(token: TokenClaims): Promise<Record<string, string>> {
  const { body } = await resolve({}, { token });
  return Object.fromEntries(Object.entries<{ value: string }>(body.secrets).map(([name, { value }]) => [name, value]));
}

afterEach(() => vi.restoreAllMocks());

describe("an import", () => {
  it("as JSON creates, updates and leaves alone, and says which", async () => {
    const token = { org: "json" };
    await put("global", "SAME", "same", { token });
    await put("global", "OLD", "old", { token });
    const reply = await importJson({ NEW: "n", OLD: "changed", SAME: "same" }, { token });
    expect([reply.status, reply.body]).toEqual([200, { created: ["NEW"], updated: ["OLD"], unchanged: ["SAME"] }]);
    expect(await valuesOf(token)).toEqual({ NEW: "n", OLD: "changed", SAME: "same" });
    expect((await importJson({ NEW: "n", OLD: "changed", SAME: "same" }, { token })).body.unchanged).toHaveLength(3);
    expect((await call("GET /v1/secrets?name=OLD", { token })).body.secrets[0].version).toBe(2);
  });

  it("as a .env file takes what dotenv takes", async () => {
    const token = { org: "env-file" };
    const file = `\uFEFF# a comment\r\nexport PLAIN=plain\r\nSINGLE='a # b\\n'\nDOUBLE="one\\ntwo"\nMULTI="three\nfour" # a comment\nCOLON: yes\n`;
    const reply = await importEnv(file, { token });
    expect(reply.body).toEqual({ created: ["PLAIN", "SINGLE", "DOUBLE", "MULTI", "COLON"], updated: [], unchanged: [] });
    expect(await valuesOf(token)).toEqual({ PLAIN: "plain", SINGLE: "a # b\\n", DOUBLE: "one\ntwo", MULTI: "three\nfour", COLON: "yes" });
  });

  it("as a .env file may have all sorts of lines inside quotes", async () => {
    const lines = ["-----BEGIN KEY-----", "MII/EvQ==", "# no comment", "NO=name", "17", "\u0001", "-----END KEY-----"];
    const value = lines.join("\n");
    await importEnv(`A="${value}"\r\nB='${value}'\nC=\`${value}\` # a comment\n`, { token: { org: "lines" } });
    expect(await valuesOf({ org: "lines" })).toEqual({ A: value, B: value, C: value });
  });

  it("compares with values that are in KV alone, in bulk", async () => {
    const token = { org: "from-kv" };
    await importJson(numbered(150), { token });
    await settleAll();
    const get = vi.spyOn(env.KV, "get");
    expect((await importJson({ ...numbered(150), N7: "changed" }, { token })).body).toMatchObject({ created: [], updated: ["N7"] });
    expect(get.mock.calls.length).toBeLessThanOrEqual(2);
  });

  it("replaces what cannot be read now instead of failing", async () => {
    const token = { org: "kv-down" };
    await importJson({ A: "a" }, { token });
    await settleAll();
    vi.spyOn(env.KV, "get").mockRejectedValue(new Error("KV is down"));
    expect((await importJson({ A: "b" }, { token })).body.updated).toEqual(["A"]);
  });

  it("keeps the metadata of a secret", async () => {
    const token = { org: "fields" };
    await put("global", "A", "1", { token, fields: { description: "d", labels: { a: "b" } } });
    await importJson({ A: "2" }, { token });
    expect((await call("GET /v1/secrets?name=A", { token })).body.secrets[0]).toMatchObject({ version: 2, description: "d", labels: { a: "b" } });
  });

  it("is one event that names all", async () => {
    await importJson({ A: "1", B: "2" }, { token: { org: "event" } });
    const { results } = await env.DB.prepare("SELECT action, secrets FROM audit_events WHERE org = 'event'").all<{ action: string; secrets: string }>();
    expect(results.map(({ action, secrets }) => [action, JSON.parse(secrets).map(({ name }: { name: string }) => name)])).toEqual([
      ["secret.import", ["A", "B"]],
    ]);
  });

  it("of nothing is 400", async () => {
    for (const reply of [await importJson({}), await importEnv(""), await importEnv("# nothing\n"), await importJson({}, { dry_run: true })])
      expect([refused(reply), reply.body.detail]).toEqual([[400, "invalid-request"], "body: there is nothing to import"]);
  });

  it("takes numbers and booleans in JSON as they are written", async () => {
    const token = { org: "numbers" };
    const secrets = '{"A":1.0,"B":12345678901234567890,"C":-1e400,"D":true,"E":false,"F":"007","G":0}';
    const reply = await call("POST /v1/import", { token, headers: { "Content-Type": "application/json" }, body: `{"scope":"global","secrets":${secrets}}` });
    expect([reply.status, await valuesOf(token)]).toEqual([200, { A: "1.0", B: "12345678901234567890", C: "-1e400", D: "true", E: "false", F: "007", G: "0" }]);
  });

  it("leaves out empty values and reserved names where it is asked to, and lists them", async () => {
    const token = { org: "skips" };
    const file = "EMPTY=\nPATH=/bin\nGOOD=v\n";
    expect(pointers(await importEnv(file, { token }))).toEqual(["/secrets/EMPTY", "/secrets/PATH"]);
    expect(pointers(await importEnv(file, { token, more: "&skip=empty" }))).toEqual(["/secrets/PATH"]);
    const skipped = [
      { name: "EMPTY", reason: "empty" },
      { name: "PATH", reason: "reserved" },
    ];
    for (const dry_run of [true, false]) {
      const reply = await importEnv(file, { token, dry_run, more: "&skip=empty&skip=reserved" });
      expect(reply.body).toEqual({ created: ["GOOD"], updated: [], unchanged: [], skipped });
    }
    expect((await importJson({ EMPTY: "", PATH: "v", NEW: "w" }, { token, more: "&skip=empty&skip=reserved" })).body).toMatchObject({
      created: ["NEW"],
      skipped,
    });
  });
});

describe("a dry run", () => {
  it("says what an import would do, changes nothing, and is on record", async () => {
    const token = { org: "dry" };
    const { body } = await put("global", "OLD", "old", { token });
    const secrets = { NEW: "n", OLD: "changed" };
    for (const reply of [await importJson(secrets, { token, dry_run: true }), await importEnv("NEW=n\nOLD=changed", { token, dry_run: true })]) {
      expect(reply.body).toEqual({ created: ["NEW"], updated: ["OLD"], unchanged: [] });
    }
    expect(await valuesOf(token)).toEqual({ OLD: "old" });
    const { results } = await env.DB.prepare("SELECT target, secrets FROM audit_events WHERE org = 'dry' AND action = 'secret.import'").all<{
      secrets: string;
    }>();
    const compared = [
      { id: body.id, name: "OLD", scope: "global", version: 1 },
      { id: null, name: "NEW", scope: "global", version: null },
    ];
    expect(results.map((event) => ({ ...event, secrets: JSON.parse(event.secrets) }))).toEqual(Array(2).fill({ target: "dry-run:global", secrets: compared }));
  });

  it("finds everything that is wrong", async () => {
    expect(pointers(await importJson({ "1": "a", PATH: "b" }, { dry_run: true }))).toEqual(["/secrets/1", "/secrets/PATH"]);
  });
});

describe("an import that is refused", () => {
  const token = { org: "refused" };
  const wrong: [string, unknown, [number, string], string[]][] = [
    ["bad names", { GOOD: "v", "A B": "v", "": "v", é: "v" }, [400, "invalid-request"], ["/secrets/A B", "/secrets/", "/secrets/é"]],
    ["names with / and ~", { "a/b": "v", "a~b": "v" }, [400, "invalid-request"], ["/secrets/a~1b", "/secrets/a~0b"]],
    ["reserved names", { GOOD: "v", PATH: "v", AWS_KEY: "v", user: "v" }, [422, "name-reserved"], ["/secrets/PATH", "/secrets/AWS_KEY"]],
    ["all sorts", { PATH: "v", EMPTY: "", "A B": "v" }, [400, "invalid-request"], ["/secrets/PATH", "/secrets/EMPTY", "/secrets/A B"]],
    ["a lone surrogate", { A: "\ud800" }, [400, "invalid-request"], ["/secrets/A"]],
    ["a value that is no text", { A: [1], B: null, GOOD: "v" }, [400, "invalid-request"], ["/secrets/A", "/secrets/B"]],
    ["a value that is too large", { A: "x".repeat(65_537), GOOD: "v" }, [413, "value-too-large"], ["/secrets/A"]],
  ];

  it.each(wrong)("for %s stores nothing and lists all of them", async (_, secrets, expected, listed) => {
    const reply = await importJson(secrets, { token });
    expect(refused(reply)).toEqual(expected);
    expect(pointers(reply).sort()).toEqual([...listed].sort());
    expect(await countIn(token.org)).toBe(0);
  });

  it("for a name that JSON parsers lose says so", async () => {
    const options = { token, headers: { "Content-Type": "application/json" }, body: '{"scope":"global","secrets":{"__proto__":"v","A":"v"}}' };
    expect(pointers(await call("POST /v1/import", options))).toEqual([""]);
    expect((await importJson({ constructor: "v", toString: "w" }, { token: { org: "odd" } })).body.created).toEqual(["constructor", "toString"]);
  });

  it("as a .env file lists bad, reserved and empty ones too", async () => {
    expect(pointers(await importEnv("GOOD=v\n1A=v\nPATH=v\nEMPTY=\n", { token }))).toEqual(["/secrets/1A", "/secrets/EMPTY", "/secrets/PATH"]);
    expect(await countIn(token.org)).toBe(0);
  });

  it.each<[string, string, number[]]>([
    ["a key that is not in quotes", "A=1\nKEY=-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nU0VDUkVU/EFJJQQ==\n-----END KEY-----\n", [3, 4, 5]],
    ["what is no .env file at all", 'this is none\r\n{"A":"b"}', [1, 2]],
    ["a name with a space", "OK=2\nMY KEY=3", [2]],
    ["a name that JavaScript loses", "OK=1\nexport __proto__=x\n", [2]],
    ["quotes that are not closed", 'A="one\ntwo\n', [2]],
    ["text after quotes of several lines", 'A="one\ntwo" three', [2]],
    ["a name alone", "# a comment\n\nA\n", [3]],
  ])("as a .env file for %s names the lines that would be lost, and not their text", async (_, file, lines) => {
    const reply = await importEnv(file, { token });
    expect([refused(reply), pointers(reply)]).toEqual([[400, "invalid-request"], lines.map((line) => `line:${line}`)]);
    expect(reply.text).not.toMatch(/MIIE|U0VD|this is|MY KEY|__proto__|two|three/);
    expect(await countIn(token.org)).toBe(0);
  });

  it("as a .env file lists twenty lost lines at the most, and how many more there are", async () => {
    const reply = await importEnv("lost\n".repeat(10_000), { token });
    expect([pointers(reply).length, reply.body.errors.at(-1).detail]).toEqual([21, "and 9980 more, which are not listed"]);
  });

  it.each<[string, string, CallOptions]>([
    ["a .env file that is not JSON for all its parameters", "", { body: "A=1", headers: { "Content-Type": "text/plain; name=json" } }],
    ["a .env file without ?scope=", "", { body: "A=1", headers: { "Content-Type": "text/plain" } }],
    ["JSON with ?scope=", "?scope=global", { json: { scope: "global", secrets: {} } }],
    ["JSON without a scope", "", { json: { secrets: {} } }],
    ["an unknown field", "", { json: { scope: "global", secrets: {}, encoding: "utf8" } }],
    ["a bad scope", "?scope=galaxy", { body: "A=1", headers: { "Content-Type": "text/plain" } }],
    ["a bad dry_run", "?scope=global&dry_run=1", { body: "A=1", headers: { "Content-Type": "text/plain" } }],
    ["text that is not UTF-8", "?scope=global", { body: Uint8Array.from([65, 61, 0xff]), headers: { "Content-Type": "text/plain" } }],
  ])("for %s is 400", async (_, query, options) => {
    expect((await call(`POST /v1/import${query}`, options)).status).toBe(400);
  });

  it("for another content type is 415", async () => {
    expect((await call("POST /v1/import?scope=global", { body: "A=1", headers: { "Content-Type": "application/xml" } })).status).toBe(415);
  });

  it("when one name is outside the grant stores nothing", async () => {
    const limited = { ...token, secret_names: ["A*"], secret_scopes: ["global"] };
    expect(refused(await importJson({ A1: "v", B: "v" }, { token: limited }))).toEqual([403, "forbidden"]);
    expect(refused(await importJson({ A1: "v" }, { token: limited, scope: "team:t" }))).toEqual([403, "forbidden"]);
    expect(await countIn(token.org)).toBe(0);
    expect((await importJson({ A1: "v" }, { token: { ...limited, org: "granted" } })).body.created).toEqual(["A1"]);
  });

  it("by D1 stores nothing", async () => {
    await env.DB.prepare("CREATE TRIGGER broken BEFORE INSERT ON versions WHEN NEW.created_by = 'unlucky' BEGIN SELECT RAISE(ABORT, 'no'); END").run();
    expect(refused(await importJson(numbered(40), { token: { ...token, sub: "unlucky" } }))).toEqual([503, "storage-unavailable"]);
    await env.DB.prepare("DROP TRIGGER broken").run();
    expect(await countIn(token.org)).toBe(0);
  });
});

describe("a large import", () => {
  it("takes 500 in few statements, and refuses 501 with 413", async () => {
    const token = { org: "large" };
    const batch = vi.spyOn(env.DB, "batch");
    const statements = () => batch.mock.calls.reduce((sum, [list]) => sum + list.length, 0);
    expect((await importJson(numbered(500), { token })).body.created).toHaveLength(500);
    expect(batch.mock.calls.length).toBeLessThanOrEqual(7);
    expect(statements()).toBeLessThan(25);
    expect(await valuesOf(token)).toEqual(numbered(500));
    batch.mockClear();
    expect(
      (
        await importJson(
          numbered(500, (n) => `changed ${n}`),
          { token },
        )
      ).body.updated,
    ).toHaveLength(500);
    expect(statements()).toBeLessThan(25);
    expect(refused(await importJson(numbered(501), { token: { org: "larger" } }))).toEqual([413, "too-many-secrets"]);
    expect(await countIn("larger")).toBe(0);
  });

  it("takes 1 MiB, and refuses more with 413", async () => {
    const token = { org: "mebibyte" };
    const lines = Array.from({ length: 16 }, (_, n) => `B${n}=${"x".repeat(65_535 - `B${n}=`.length)}\n`).join("");
    expect(new TextEncoder().encode(lines)).toHaveLength(1_048_576);
    expect((await importEnv(lines, { token })).body.created).toHaveLength(16);
    expect(refused(await importEnv(`${lines}#`, { token }))).toEqual([413, "body-too-large"]);
  });

  it.each<[string, string]>([
    ["newlines", "\n"],
    ["carriage returns", "\r"],
    ["quotes", '"'],
    ["a name and quotes", "A='\\"],
    ["unclosed quotes", 'A="x\n'],
    ["escaped quotes", 'A="\\"x\n'],
    ["names without a value", "A\n"],
    ["exports", "export "],
    ["spaces", "A = "],
    ["line separators before quotes", "A=\u2028'x"],
  ])("of 1 MiB of %s is answered", async (_, piece) => {
    const body = piece.repeat(1_048_576 / new TextEncoder().encode(piece).length);
    const reply = await importEnv(body, { token: { org: "hostile" }, dry_run: true });
    expect([200, 400, 413]).toContain(reply.status);
  });
});

describe("what is likely meant in another way than it is read", () => {
  // biome-ignore-start lint/suspicious/noTemplateCurlyInString: that is what files have.
  const doubts: [string, string, string, string][] = [
    ["duplicate", "a name twice", "A=1\nB=2\nexport A = 'x'\n", "line:3"],
    ["comment", "a # after a space", "A='x'\nB=pass # word\n", "line:2"],
    ["comment", "a # in a word", "A=p#ss\n", "line:1"],
    ["comment", "a # at the beginning", "\nA=#pass\nB=1", "line:2"],
    ["comment", "a # after a quote that is not closed", "A='p#ss\nB=1\n", "line:1"],
    ["escape", "an escaped quote", 'A="say \\"so\\" now"\n', "line:1"],
    ["escape", "an escaped quote in a value of several lines", 'Z=1\nA="one\ntwo \\" three"\n', "line:2"],
    ["expansion", "a variable", "A=${HOME}/x\n", "line:1"],
    ["expansion", "a variable in double quotes, in the second line of them", '# c\nA="x\n${HOME}"\n', "line:2"],
    ["expansion", "a command", "A=$(id)\n", "line:1"],
    ["expansion", "a command in double quotes", 'A="$(id)"\n', "line:1"],
    ["encrypted", "what SOPS has encrypted", "A=ENC[AES256_GCM,data:abc,type:str]\n", "/secrets/A"],
    ["encrypted", "what dotenvx has encrypted", 'A="encrypted:BD9X"\n', "/secrets/A"],
    ["reference", "a reference of 1Password", "B=1\nA=op://vault/item/field\n", "/secrets/A"],
  ];
  // biome-ignore-end lint/suspicious/noTemplateCurlyInString: that is what files have.

  it.each(doubts)("(%s: %s) is refused by its line, in a dry run too, and taken as dotenv reads it where it is allowed", async (kind, _, file, pointer) => {
    const token = { org: `doubt-${kind}-${doubts.findIndex(([, , text]) => text === file)}` };
    for (const dry_run of [true, false]) {
      const reply = await importEnv(file, { token, dry_run, more: "&skip=empty" });
      expect([refused(reply), pointers(reply)]).toEqual([[400, "invalid-request"], [pointer]]);
      expect(reply.body.errors[0].detail).toContain(`allow=${kind} `);
      expect(reply.body.errors[0].detail).toMatch(pointer.startsWith("line") ? /./ : /on line \d$/);
    }
    const others = DOUBT_KINDS.filter((other) => other !== kind).map((other) => `&allow=${other}`);
    expect((await importEnv(file, { token, more: `&skip=empty${others.join("")}` })).status).toBe(400);
    const expected = Object.fromEntries(Object.entries(parse(file)).filter(([, value]) => value !== ""));
    expect((await importEnv(file, { token, more: `&allow=${kind}&skip=empty` })).status).toBe(200);
    expect(await valuesOf(token)).toEqual(expected);
  });

  it.each([
    ["quotes around a #", "A='p#ss' # a comment\nB=\"a # b\"\nC=`#`\n"],
    ["single quotes around all sorts", "A='$(id) ${HOME} \\\\\"'\n"],
    ["a dollar that begins nothing", 'A=pa$$word$\nB="$5"\nC=$HOME\n'],
    ["a backslash before something else", 'A="a\\\\b\\nc"\nB=a\\b\n'],
    ["the same words within a value", "A=x-op://y\nB='my ENC[x]'\nC=unencrypted:x\n"],
    ["an assignment within quotes", "A='one\nA=two # x\n'\n"],
  ])("is not %s", async (_, file) => {
    const reply = await importEnv(file, { dry_run: true, token: { org: "no-doubts" } });
    expect([reply.status, reply.body.errors]).toEqual([200, undefined]);
  });

  it("is listed with all else that is wrong with a file", async () => {
    const reply = await importEnv('A=1\nA=2 # twice\nlost\nPATH=x\nE=\nD="\\""\n', { token: { org: "listed" } });
    expect(pointers(reply)).toEqual(["line:2", "line:2", "line:3", "line:6", "/secrets/E", "/secrets/PATH"]);
  });

  it("is refused in JSON, too: a reference, and in every body of JSON a name that is given twice", async () => {
    const token = { org: "json-doubts" };
    expect(pointers(await importJson({ A: "op://v/i/f", B: "ENC[x]", C: "${HOME}" }, { token }))).toEqual(["/secrets/A", "/secrets/B"]);
    expect((await importJson({ A: "op://v/i/f", C: "${HOME}" }, { token, more: "&allow=reference" })).status).toBe(200);
    const headers = { "Content-Type": "application/json" };
    for (const [request, body] of [
      ["POST /v1/import", '{"scope":"global","secrets":{"A":"1","B":"2","A":"3"}}'],
      ["POST /v1/import", '{"scope":"global","secrets":{"A":"1","\\u0041":"3"}}'],
      [`PUT ${at("global", "TWICE")}`, '{"value":"a","value":"b"}'],
      ["POST /v1/secrets", '{"scope":"global","name":"TWICE","value":"a:b","labels":{"x":"1","x":"1"}}'],
    ] as const) {
      const reply = await call(request, { token, headers, body });
      expect([request, refused(reply), reply.body.detail]).toEqual([request, [400, "invalid-request"], expect.stringContaining("gives one name twice")]);
    }
    expect((await call(`PUT ${at("global", "ONCE")}`, { token, headers, body: '{"value":"{\\"a\\":1,\\"a\\":2}"}' })).status).toBe(201);
  });
});

describe("one environment name in one scope", () => {
  const conflict = ({ status, body }: Reply) => [status, body.code, body.detail];
  const says = (name: string, held: string, scope = "global") => `${name} would be the variable DB_PASSWORD, which ${held} is already in ${scope}.`;

  it("is one secret's: another is refused by every way it could be made, and the one that is there is named", async () => {
    const token = { org: "one-name" };
    await put("global", "db-password", "v", { token });
    for (const name of ["DB_PASSWORD", "db.password", "Db-Password"]) {
      const expected = [409, "env-name-conflict", says(name, "db-password")];
      expect(conflict(await put("global", name, "v", { token }))).toEqual(expected);
      expect(conflict(await call("POST /v1/secrets", { token, json: { scope: "global", name, value: "v" } }))).toEqual(expected);
      for (const dry_run of [true, false]) {
        const reply = await importJson({ OTHER: "v", [name]: "v" }, { token, dry_run });
        expect([conflict(reply), pointers(reply)]).toEqual([expected, [`/secrets/${name}`]]);
      }
    }
    expect(await countIn("one-name")).toBe(1);
    expect((await put("team:t", "DB_PASSWORD", "v", { token })).status).toBe(201);
    expect((await put("global", "DB_PASSWORD_2", "v", { token })).status).toBe(201);
    const outside = await put("global", "DB_PASSWORD", "v", { token: { ...token, secret_names: ["DB_*"] } });
    expect(conflict(outside)[2]).toBe(says("DB_PASSWORD", "another secret"));
  });

  it("is one secret's inside one import too, and all that share one are listed", async () => {
    const token = { org: "one-import" };
    await put("team:t", "a.b", "v", { token });
    const reply = await importEnv("db-password=1\nA_B=2\nDB_PASSWORD=3\nFINE=4\n", { token, scope: "team:t" });
    expect([refused(reply), pointers(reply)]).toEqual([
      [409, "env-name-conflict"],
      ["/secrets/DB_PASSWORD", "/secrets/A_B"],
    ]);
    expect(await countIn("one-import")).toBe(1);
  });

  it("goes to one of two who write at once", async () => {
    const token = { org: "two-at-once" };
    const replies = await Promise.all(["x-y", "X_Y", "x.y"].map((name) => put("global", name, "v", { token })));
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    expect(await countIn("two-at-once")).toBe(1);
  });

  it("is free again when its secret is deleted", async () => {
    const token = { org: "freed" };
    await put("global", "x-y", "v", { token });
    await call(`DELETE ${at("global", "x-y")}`, { token });
    expect((await put("global", "X_Y", "v", { token })).status).toBe(201);
  });

  it("stays with several that had it before: each can be changed, and /readyz counts them until one is left", async () => {
    const token = { org: "pairs" };
    const counted = async () => (await call("GET /readyz", { token })).body.backlog.env_name_conflicts;
    const before = await counted();
    const { body } = await put("global", "x-y", "v", { token });
    await put("global", "FORMER", "v", { token });
    await env.DB.prepare("UPDATE secrets SET name = 'X-Y' WHERE org = 'pairs' AND name = 'FORMER'").run();
    await sealByHand("secrets", "s.org = 'pairs' AND s.name = 'X-Y'");
    await env.DB.prepare("INSERT INTO shared_env_names VALUES ('pairs', 'global', 'X_Y')").run();
    expect(await counted()).toBe(before + 1);
    expect((await put("global", "x-y", "w", { token })).body.version).toBe(2);
    expect((await call(`PATCH /v1/secrets/${body.id}`, { token, json: { value: "x" } })).status).toBe(200);
    expect((await put("global", "x.y", "v", { token })).status).toBe(409);
    await call(`DELETE /v1/secrets/${body.id}`, { token });
    expect(await counted()).toBe(before);
  });

  it("is of no secret that is never a variable, until it may be one", async () => {
    const token = { org: "no-variables" };
    const counted = async () => (await call("GET /readyz", { token })).body.backlog.env_name_conflicts;
    const before = await counted();
    const { body: kept } = await put("global", "x-y", "v", { token, fields: { variable: false } });
    expect((await put("global", "x.y", "v", { token, fields: { variable: false } })).status).toBe(201);
    expect((await put("global", "X_Y", "v", { token })).status).toBe(201);
    expect((await put("global", "X-Y", "v", { token })).status).toBe(409);
    expect(await counted()).toBe(before);
    const become = (variable: boolean) => call(`PATCH /v1/secrets/${kept.id}`, { token, json: { variable } });
    expect((await become(true)).body).toMatchObject({ status: 409, detail: "x-y would be the variable X_Y, which X_Y is already in global." });
    expect((await put("global", "x-y", "v", { token, fields: { variable: true } })).status).toBe(409);
    await call(`DELETE ${at("global", "X_Y")}`, { token });
    // Of two that become one at the same time one does.
    const both = await Promise.all([become(true), put("global", "x.y", "v", { token, fields: { variable: true } })]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 409]);
    // Notes of what is shared stay for good: nothing may add to them that shares nothing.
    expect(await env.DB.prepare("SELECT COUNT(*) AS n FROM shared_env_names WHERE org = 'no-variables'").first("n")).toBe(0);
  });

  it("that somebody has written twice by other ways is counted", async () => {
    const token = { org: "by-hand" };
    const counted = async () => (await call("GET /readyz", { token })).body.backlog.env_name_conflicts;
    const before = await counted();
    for (const name of ["l-1", "L_1"])
      await env.DB.prepare(
        `INSERT INTO secrets (id, org, scope, name, version, revision, created_at, created_by, updated_at, updated_by, rotated_at)
         VALUES ('sec_' || ?1, 'by-hand', 'global', ?1, 1, 1, 0, 's', 0, 's', 0)`,
      )
        .bind(name)
        .run();
    expect(await counted()).toBe(before + 1);
  });
});

describe("imports at the same time", () => {
  it("of the same names all go through, one after the other", async () => {
    const token = { org: "crowd" };
    const replies = await Promise.all(Array.from({ length: 8 }, (_, n) => importJson({ A: `a${n}`, B: `b${n}`, C: "c" }, { token })));
    expect(replies.map(({ status }) => status)).toEqual(Array(8).fill(200));
    const values = await valuesOf(token);
    expect(values.A?.slice(1)).toBe(values.B?.slice(1));
    expect((await call("GET /v1/secrets?name=A", { token })).body.secrets[0].version).toBe(8);
  });

  it("as a write to a value that was unchanged: the import starts over and does not skip it", async () => {
    const token = { org: "between" };
    await importJson({ A: "a", B: "b" }, { token });
    const batch = env.DB.batch.bind(env.DB);
    let calls = 0;
    vi.spyOn(env.DB, "batch").mockImplementation((async (statements: D1PreparedStatement[]) => {
      // The second batch is the import's write.
      if (++calls === 2) await put("global", "A", "other", { token });
      return batch(statements);
    }) as typeof env.DB.batch);
    expect((await importJson({ A: "a", B: "new" }, { token })).body).toEqual({ created: [], updated: ["A", "B"], unchanged: [] });
    expect(await valuesOf(token)).toEqual({ A: "a", B: "new" });
  });
});

describe("a .env file", () => {
  const name = fc.constantFrom("A", "B_1", "c.d", "e-f", "_G", "A");
  const inner = fc.string({ unit: fc.constantFrom(..."ab =#:'\"`\\", "\n", "\\n", "\\r", "é", "\t"), maxLength: 12 });
  const value = fc.oneof(
    inner,
    inner.map((text) => `'${text.replaceAll("'", "")}'`),
    inner.map((text) => `"${text.replaceAll('"', "")}"`),
    inner.map((text) => `\`${text.replaceAll("`", "")}\``),
  );
  const assignment = fc
    .tuple(fc.constantFrom("", "export ", "  ", "export\t"), name, fc.constantFrom("=", " = ", ": ", "= "), value, fc.constantFrom("", " # note", "#x", " "))
    .map((parts) => parts.join(""));
  const line = fc.oneof({ weight: 5, arbitrary: assignment }, fc.constantFrom("", "# A=comment", "#", "A", "=x", "A B=c"), inner);
  const file = fc
    .tuple(fc.constantFrom("", "\uFEFF"), fc.array(line, { maxLength: 10 }), fc.constantFrom("\n", "\r\n", "\r"))
    .map(([bom, lines, end]) => bom + lines.join(end));

  /** Whether dotenv reads the same without a line that is no comment and no assignment. A name given twice hides what it was. */
  const losesLine = (text: string) => {
    const names = [...text.matchAll(/^\s*(?:export\s+)?([\w.-]+)\s*[=:]/gm)].map(([, found]) => found);
    if (new Set(names).size < names.length) return false;
    const lines = text.split(/\r\n?|\n/);
    const without = (n: number) => parse(lines.with(n, "").join("\n"));
    const odd = (line: string) => !/^\s*(#|$|(export\s+)?[\w.-]+(\s*=|:\s|:$))/.test(line);
    return lines.some((line, n) => odd(line) && JSON.stringify(without(n)) === JSON.stringify(parse(text)));
  };

  const sharesVariable = (names: string[]) => new Set(names.map((name) => envName(name as SecretName))).size < names.length;

  it("is stored as dotenv reads it, or a line that would be lost is named", async () => {
    let org = 0;
    const property = fc.asyncProperty(file, async (text) => {
      const token = { org: `dotenv-${org++}` };
      const expected = parse(text);
      const wrong = Object.keys(expected).filter((key) => expected[key] === "" || !/^[A-Za-z_][A-Za-z0-9_.-]*$/.test(key));
      const reply = await importEnv(text, { token, more: DOUBT_KINDS.map((kind) => `&allow=${kind}`).join("") });
      if (reply.body.errors?.[0].pointer.startsWith("line:") || Object.keys(expected).length === 0) return;
      expect(losesLine(text)).toBe(false);
      if (wrong.length > 0) expect(pointers(reply)).toEqual(wrong.map((key) => `/secrets/${key}`));
      else if (sharesVariable(Object.keys(expected))) expect(refused(reply)).toEqual([409, "env-name-conflict"]);
      else expect([reply.status, await valuesOf(token)]).toEqual([200, expected]);
    });
    await fc.assert(property, { numRuns: 300 });
  }, 60_000);

  it("with nothing but assignments and comments is never refused", async () => {
    const text = fc.string({ unit: fc.constantFrom(..."ab =#:é\t\n"), maxLength: 12 });
    const quoted = fc.tuple(fc.constantFrom("'", '"', "`"), text).map(([quote, inside]) => `${quote}x${inside}${quote}`);
    const plain = text.map((inside) => `x${inside.replaceAll("\n", "")}`);
    const fine = fc
      .tuple(fc.constantFrom("", "export ", "  "), name, fc.constantFrom("=", " = ", ": "), fc.oneof(quoted, plain))
      .map((parts) => parts.join(""));
    const fineFile = fc.array(fc.oneof(fine, fc.constantFrom("", "# A=comment", "  #")), { maxLength: 10 }).map((lines) => lines.join("\n"));
    const property = fc.asyncProperty(fineFile, async (given) => {
      const more = DOUBT_KINDS.map((kind) => `&allow=${kind}`).join("");
      const { body } = await importEnv(given, { dry_run: true, more });
      if (body.code !== "env-name-conflict" && body.detail !== "body: there is nothing to import") expect(body.errors).toBeUndefined();
    });
    await fc.assert(property, { numRuns: 100 });
  });
});

/** Runs the scheduled work until every ciphertext is in KV alone. */
async function settleAll(): Promise<void> {
  for (let more = true, minutes = 2; more; minutes += 6) {
    const { put: moved, cleared } = await settleCiphertexts({ db: env.DB, kv: env.KV, now: new Date(Date.now() + minutes * 60_000) });
    more = moved + cleared > 0;
  }
}

describe("an imported object", () => {
  type Member = { readonly key: string; readonly value: string; readonly encoding?: "json" };
  const importObject = (org: string, members: readonly Member[], query = "", more: object = {}, claims: object = {}) =>
    call(`POST /v1/import/object?${query}`, { token: { org, ...claims }, json: { scope: "repo:app", members, ...more } });
  const valuesIn = async (org: string) =>
    Object.fromEntries(
      Object.entries<{ value: string }>((await resolve({ scopes: ["repo:app"] }, { token: { org } })).body.secrets).map(([name, { value }]) => [name, value]),
    );
  const EXACT: readonly Member[] = [
    { key: "port", value: "12345678901234567890", encoding: "json" },
    { key: ".dockerconfigjson", value: "{}" },
    { key: "AWS_SECRET_ACCESS_KEY", value: "aws" },
    { key: "empty", value: "" },
  ];

  it("keeps JSON, keys that are no names, reserved names and empty texts, and is the same when it comes again", async () => {
    const { status, body } = await importObject("object-exact", EXACT);
    expect([status, body]).toEqual([200, { new: EXACT.map(({ key }) => key), same: [], different: [], custom_metadata: null, written: true }]);
    const again = { new: [], same: EXACT.map(({ key }) => key), different: [], custom_metadata: null, written: false };
    expect((await importObject("object-exact", EXACT, "overwrite=true")).body).toEqual(again);
    expect(await valuesIn("object-exact")).toEqual({ port: "12345678901234567890", "_x..dockerconfigjson": "{}", AWS_SECRET_ACCESS_KEY: "aws", empty: "" });
    const { body: listed } = await call("GET /v1/secrets", { token: { org: "object-exact" } });
    expect(Object.fromEntries(listed.secrets.map(({ name, variable }: { name: string; variable: boolean }) => [name, variable]))).toEqual({
      ...{ port: true, empty: true, "_x..dockerconfigjson": false, AWS_SECRET_ACCESS_KEY: false },
    });
    // A string in JSON is its text, as where Vault's clients write it, and of other JSON white space says nothing.
    const written: readonly Member[] = [
      { key: "text", value: ' "5432" ', encoding: "json" },
      { key: "list", value: "[1.0, 2]", encoding: "json" },
    ];
    await importObject("object-exact", written);
    const token = { org: "object-exact" };
    expect(await valuesIn("object-exact")).toMatchObject({ text: "5432", list: "[1.0,2]" });
    expect((await importObject("object-exact", [{ key: "text", value: "5432" }])).body.same).toEqual(["text"]);
    const read = await call("GET /v1/secret/data/app", { token });
    expect(read.body.data.data).toMatchObject({ text: "5432", list: [1, 2] });
    expect((await call("PATCH /v1/secret/data/app", { token, json: { data: { text: "5432", list: [1, 2] } } })).status).toBe(200);
    expect((await importObject("object-exact", [{ key: "list", value: "[1,2]", encoding: "json" }])).body.same).toEqual(["list"]);
    // The same characters as text are another value.
    expect((await importObject("object-exact", [{ key: "port", value: "12345678901234567890" }])).body.different).toEqual(["port"]);
  });

  it("takes the place of what differs only where that is said, and leaves alone what it does not name", async () => {
    await importObject("object-differs", [
      { key: "A", value: "1" },
      { key: "B", value: "2" },
    ]);
    const changed = [
      { key: "A", value: "changed" },
      { key: "C", value: "3" },
    ];
    for (const query of ["", "dry_run=true", "dry_run=true&overwrite=true"]) {
      const { body } = await importObject("object-differs", changed, query);
      expect(body).toEqual({ new: ["C"], same: [], different: ["A"], custom_metadata: null, written: false });
    }
    expect(await valuesIn("object-differs")).toEqual({ A: "1", B: "2" });
    expect((await importObject("object-differs", changed, "overwrite=true")).body.written).toBe(true);
    expect(await valuesIn("object-differs")).toEqual({ A: "changed", B: "2", C: "3" });
  });

  it("brings what is said of it, which is compared and kept like its values", async () => {
    const said = (custom_metadata: object, query = "", value = "1") => importObject("object-said", [{ key: "A", value }], query, { custom_metadata });
    expect((await said({ owner: "ada", team: "pay" })).body).toMatchObject({ new: ["A"], custom_metadata: "new", written: true });
    expect((await said({ team: "pay", owner: "ada" })).body).toMatchObject({ same: ["A"], custom_metadata: "same", written: false });
    expect((await said({ owner: "bob" })).body).toMatchObject({ custom_metadata: "different", written: false });
    expect((await said({ owner: "ada", team: "pay" }, "", "2")).body).toMatchObject({ different: ["A"], custom_metadata: "same", written: false });
    expect((await said({ owner: "bob" }, "overwrite=true")).body).toMatchObject({ same: ["A"], custom_metadata: "different", written: true });
    expect((await said({ owner: "bob" })).body.custom_metadata).toBe("same");
    expect((await importObject("object-said", [{ key: "A", value: "1" }])).body.custom_metadata).toBeNull();
    const limited = { secret_names: ["Z*"] };
    await call("PUT /v1/scopes/repo%3Aapp/secrets/Z", { token: { org: "object-said" }, json: { value: "z" } });
    expect(refused(await importObject("object-said", [{ key: "Z1", value: "z" }], "", { custom_metadata: { a: "b" } }, limited))).toEqual([403, "forbidden"]);
    expect((await importObject("object-said", [{ key: "Z1", value: "z" }], "", {}, limited)).body.written).toBe(true);
  });

  it("is refused whole, with everything that is wrong by its place", async () => {
    const members: Member[] = [
      { key: "", value: "v" },
      { key: "A", value: "{sk-1", encoding: "json" },
      { key: "A", value: "v" },
      { key: "__proto__", value: "v" },
      { key: "fine", value: "v" },
    ];
    const reply = await importObject("object-wrong", members);
    expect([...refused(reply), pointers(reply)]).toEqual([400, "invalid-request", ["/members/0/key", "/members/1/value", "/members/2/key", "/members/3/key"]]);
    expect(reply.text).not.toContain("sk-1");
    expect(refused(await importObject("object-wrong", []))).toEqual([400, "invalid-request"]);
    expect(
      refused(
        await importObject("object-wrong", [
          { key: "db-url", value: "1" },
          { key: "DB_URL", value: "2" },
        ]),
      ),
    ).toEqual([409, "env-name-conflict"]);
    expect(refused(await importObject("object-wrong", [{ key: "A", value: "x".repeat(65_537) }]))).toEqual([413, "value-too-large"]);
    const many = Array.from({ length: 501 }, (_, n) => ({ key: `K${n}`, value: "v" }));
    expect(refused(await importObject("object-wrong", many))).toEqual([413, "too-many-secrets"]);
    expect(await countIn("object-wrong")).toBe(0);
  });

  it("takes what has expired for different, and gives it no expiry where that may be replaced", async () => {
    const token = { org: "object-expired" };
    await putExpired("repo:app", "OLD", "1", { token });
    for (const query of ["", "dry_run=true"])
      expect((await importObject(token.org, [{ key: "OLD", value: "1" }], query)).body).toMatchObject({ different: ["OLD"], written: false });
    const events = await eventsOf(token.org);
    expect(events.at(-1)).toMatchObject({ action: "secret.import", secrets: [{ name: "OLD", version: 1 }] });
    expect((await importObject(token.org, [{ key: "OLD", value: "1" }], "overwrite=true")).body.written).toBe(true);
    expect(await valuesIn(token.org)).toEqual({ OLD: "1" });
    expect((await importObject(token.org, [{ key: "OLD", value: "1" }])).body.same).toEqual(["OLD"]);
  });

  it("is nested so deep and no deeper", async () => {
    const deep = (n: number): Member[] => [{ key: "deep", value: "[".repeat(n) + "]".repeat(n), encoding: "json" }];
    expect((await importObject("object-deep", deep(MAX_NESTING))).status).toBe(200);
    for (const n of [MAX_NESTING + 1, 100_000])
      expect((await importObject("object-deep", deep(n))).body.errors).toEqual([{ pointer: "/members/0/value", detail: NESTED_TOO_DEEP }]);
    // What is no JSON is found to be none in a time that grows with its length.
    expect((await importObject("object-deep", [{ key: "none", value: `"${'\\"'.repeat(200_000)}`, encoding: "json" }])).body.errors?.[0]?.detail).toBe(
      "it is not JSON",
    );
    const twice = [{ key: "twice", value: '{"a":1,"a":2}', encoding: "json" as const }];
    expect((await importObject("object-deep", twice)).status).toBe(400);
  });

  it("of several at once is taken from one, and compared by the others with that", async () => {
    const replies = await Promise.all(["a", "b", "c"].map((value) => importObject("object-race", [{ key: "A", value }])));
    const written = replies.filter(({ body }) => body.written);
    expect([written.length, replies.filter(({ body }) => body.different?.length === 1).length]).toEqual([1, 2]);
    const winner = ["a", "b", "c"][replies.indexOf(written[0] as Reply)];
    expect(await valuesIn("object-race")).toEqual({ A: winner });
  });
});
