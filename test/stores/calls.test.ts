import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { addressesOf, type StoreDefinition } from "../../src/worker/stores/drivers.ts";
import { answering, type Handle } from "../support/stores/stub-network.ts";
import { bytes, DEFINITIONS, openPlace, operation, type Place, refusalOf, text } from "./place.ts";

let place: Place;
beforeEach(() => {
  place = openPlace();
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const KINDS = ["aws", "azure", "vault"] as const;
type KindName = (typeof KINDS)[number];

/** What each store says when it has no room. */
const BUSY: Readonly<Record<KindName, Handle>> = {
  aws: answering(400, { __type: "com.amazonaws.secretsmanager#ThrottlingException", Message: "Rate exceeded" }),
  azure: answering(429, { error: { code: "Throttled" } }, { "Retry-After": "1" }),
  vault: answering(429, { errors: ["request path rate limit quota exceeded"] }),
};
const BROKEN = answering(500, "<html>", { "Content-Type": "text/html" });
const broken: Handle = async () => {
  throw new TypeError("connection lost to sk-live-0123456789");
};

/** A store that has answered once, so that what comes next is asked of itself. */
async function opened(kind: KindName) {
  const store = place.open(kind);
  await store.put("a", bytes("1"), { operation: operation() });
  await store.get("a");
  return store;
}

describe.each(KINDS)("a store that is throttled: %s", (kind) => {
  it("is asked again after a random part of a time that doubles", async () => {
    const store = await opened(kind);
    vi.spyOn(Math, "random").mockReturnValue(0.5);
    place.network.next.push(BUSY[kind], BUSY[kind], BUSY[kind]);
    expect(text((await store.get("a"))?.value)).toBe("1");
    expect(place.pauses).toEqual(kind === "azure" ? [1_000, 1_000, 1_000] : [100, 200, 400]);
  });

  it("is given up after four times, also when it writes", async () => {
    const store = await opened(kind);
    place.network.next.push(...Array<Handle>(9).fill(BUSY[kind]));
    expect(await refusalOf(store.put("a", bytes("2"), { operation: operation() }))).toBe("throttled");
    expect(place.network.next).toHaveLength(5);
  });

  it("is not asked before it says, and given up when that is too long", async () => {
    const store = await opened(kind);
    const busyFor = (value: string) => answering(429, {}, { "Retry-After": value });
    place.network.next.push(busyFor("3"), busyFor(new Date(place.now + 1_000).toUTCString()), busyFor("2"));
    expect(await refusalOf(store.get("a"))).toBe("throttled");
    expect(place.pauses).toEqual([3_000, 1_000]);
    place.network.next.push(busyFor("3600"));
    expect(await refusalOf(store.get("a"))).toBe("throttled");
    place.network.next.push(busyFor("soon"), busyFor("-1"));
    expect(text((await store.get("a"))?.value)).toBe("1");
  });
});

describe.each(KINDS)("a store that fails: %s", (kind) => {
  it("is asked again for what is read", async () => {
    const store = await opened(kind);
    place.network.next.push(BROKEN, broken, answering(503, {}));
    expect(text((await store.get("a"))?.value)).toBe("1");
    place.network.next.push(...Array<Handle>(4).fill(broken));
    expect(await refusalOf(store.get("a"))).toBe("unreachable");
  });

  it("is asked again for a write only if it knows the same one again", async () => {
    const store = await opened(kind);
    const { handle } = place[kind];
    let writes = 0;
    // It does what it is asked, and then says that it has not.
    vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
      const request = new Request(input as RequestInfo, init as RequestInit);
      const isWrite = request.headers.get("X-Amz-Target")?.endsWith("PutSecretValue") ?? request.method !== "GET";
      const reply = await handle(request);
      return isWrite && ++writes === 1 ? new Response("<html>", { status: 502 }) : reply;
    });
    const write = { operation: operation() };
    expect(await refusalOf(store.put("a", bytes("2"), write))).toBe(kind === "aws" ? "none" : "unreachable");
    expect(writes).toBe(kind === "aws" ? 2 : 1);
    const { version } = await store.put("a", bytes("2"), write);
    expect([version, writes]).toEqual([(await store.get("a"))?.version, kind === "aws" ? 3 : 1]);
    const count = {
      aws: place.aws.secrets.get("a")?.versions.size,
      azure: place.azure.secrets.get("a")?.versions.length,
      vault: place.vault.data.get("a")?.length,
    };
    expect(count[kind]).toBe(2);
  });

  it("is waited for ten seconds", async () => {
    const store = await opened(kind);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    place.network.next.push(() => new Promise(() => undefined));
    const refusal = refusalOf(store.get("a"));
    await vi.advanceTimersByTimeAsync(10_001);
    expect(await refusal).toBe("too-slow");
  });

  it.each([
    ["TimeoutError", "too-slow"],
    ["Error", "none"],
  ])("breaks off in the middle of a reply: %s", async (name, expected) => {
    const store = await opened(kind);
    const body = new ReadableStream({
      pull(controller) {
        controller.error(new DOMException("sk-live-0123456789", name));
      },
    });
    place.network.next.push(async () => new Response(body, { headers: { "Content-Type": "application/json" } }));
    expect(await refusalOf(store.get("a"))).toBe(expected);
  });

  const whole = (kind: KindName, change: object) => {
    const id = `https://keyhole-test.vault.azure.net/secrets/a/${"0".repeat(32)}`;
    const right = {
      aws: { Name: "a", VersionId: "v".repeat(32), SecretString: "x" },
      azure: { id, value: "x" },
      vault: { data: { data: { value: "x" }, metadata: { version: 1 } } },
    };
    return answering(200, { ...right[kind], ...change });
  };
  const lies: [string, Handle][] = [
    ["no JSON", answering(200, "sk-live-0123456789")],
    ["JSON of another kind", answering(200, ["sk-live-0123456789"])],
    ["JSON without what was asked for", answering(200, {})],
    ["a page", answering(200, "<html>sk-live-0123456789</html>", { "Content-Type": "text/html" })],
    ["JSON that says it is something else", answering(200, {}, { "Content-Type": "text/plain" })],
    ["a redirect", answering(302, "", { Location: "https://elsewhere.example.org/" })],
    ["more than it may", async () => new Response(new Uint8Array(2 * 2 ** 20 + 1), { headers: { "Content-Type": "application/json" } })],
    ["text that is none", async () => new Response(new Uint8Array([0xff]), { headers: { "Content-Type": "application/json" } })],
    ["a value of another type", whole(kind, { aws: { SecretString: 7 }, azure: { value: 7 }, vault: { data: 7 } }[kind])],
    [
      "another secret's, or none",
      whole(kind, { aws: { Name: "b" }, azure: { id: `https://keyhole-test.vault.azure.net/secrets/b/${"0".repeat(32)}` }, vault: { data: {} } }[kind]),
    ],
    [
      "an id of somebody else's, or none",
      whole(kind, { aws: { VersionId: "?" }, azure: { id: `https://elsewhere.example.org/secrets/a/${"0".repeat(32)}` }, vault: { data: { data: {} } } }[kind]),
    ],
    ["a status of nobody's", answering(418, { error: "sk-live-0123456789" })],
  ];
  it.each(lies)("or lies gets nothing into what is said of it: %s", async (_, lie) => {
    const store = await opened(kind);
    place.network.next.push(lie);
    const error: unknown = await store.get("a").catch((error: unknown) => error);
    expect(error).toMatchObject({ name: "StoreError", refusal: "reply" });
    expect(`${error} ${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain("sk-live");
    expect(error).not.toHaveProperty("cause");
  });

  it.each(lies.slice(0, 1).concat(lies.slice(3, 8)))("or lies has done nothing that it says in no words of such a store: %s", async (_, lie) => {
    const store = await opened(kind);
    const { handle } = place[kind];
    const before = { aws: [handle], azure: [], vault: [handle] }[kind];
    place.network.next.push(...before, lie);
    expect(await refusalOf(store.delete("a"))).toBe("reply");
    place.network.next.push(...{ aws: [], azure: [handle, handle], vault: [handle] }[kind], lie);
    expect(await refusalOf(store.put("a", bytes("2"), { operation: operation() }))).toBe("reply");
    if (kind !== "aws") return;
    const { version = "" } = (await store.get("a")) ?? {};
    place.network.next.push(handle, lie);
    expect(await refusalOf(store.put("a", bytes("2"), { operation: operation(), ifVersion: version }))).toBe("reply");
  });

  it("answers what was asked: a version for a version", async () => {
    const store = await opened(kind);
    place.network.next.push(whole(kind, {}));
    const other = { aws: operation(), azure: "1".repeat(32), vault: "2" }[kind];
    expect(await refusalOf(store.get("a", other))).toBe("reply");
  });
});

describe("the addresses of a store", () => {
  const cases: [StoreDefinition, readonly string[]][] = [
    [DEFINITIONS.aws, ["https://secretsmanager.eu-central-1.amazonaws.com"]],
    [
      { ...DEFINITIONS.aws, region: "us-gov-west-1", role_arn: "x" },
      ["https://secretsmanager.us-gov-west-1.amazonaws.com", "https://sts.us-gov-west-1.amazonaws.com"],
    ],
    [
      { ...DEFINITIONS.aws, region: "cn-north-1", role_arn: "x" },
      ["https://secretsmanager.cn-north-1.amazonaws.com.cn", "https://sts.cn-north-1.amazonaws.com.cn"],
    ],
    [{ ...DEFINITIONS.aws, region: "eusc-de-east-1" }, ["https://secretsmanager.eusc-de-east-1.amazonaws.eu"]],
    [
      { ...DEFINITIONS.aws, endpoint: "https://VPCE-1.secretsmanager.eu-central-1.vpce.amazonaws.com:443/" },
      ["https://vpce-1.secretsmanager.eu-central-1.vpce.amazonaws.com"],
    ],
    [DEFINITIONS.azure, ["https://keyhole-test.vault.azure.net", "https://login.microsoftonline.com"]],
    [{ ...DEFINITIONS.azure, vault_url: "https://My-Vault.vault.azure.cn" }, ["https://my-vault.vault.azure.cn", "https://login.partner.microsoftonline.cn"]],
    [{ ...DEFINITIONS.azure, vault_url: "https://v12.vault.usgovcloudapi.net" }, ["https://v12.vault.usgovcloudapi.net", "https://login.microsoftonline.us"]],
    [DEFINITIONS.vault, ["https://vault.example.org:8200"]],
  ];
  it.each(cases)("%j are %j", (definition, expected) => {
    expect(addressesOf(definition, { insecureOrigins: false }).map(({ origin }) => origin)).toEqual(expected);
  });

  it.each<[KindName, object]>([
    ["aws", { region: "eu-central-1.evil.example.org/" }],
    ["aws", { region: "x@evil.example.org" }],
    ["aws", { region: "" }],
    ["aws", { endpoint: "https://user@secretsmanager.eu-central-1.amazonaws.com" }],
    ["aws", { endpoint: "https://example.org/path" }],
    ["aws", { endpoint: "nonsense" }],
    ["aws", { endpoint: "http://169.254.169.254" }],
    ["aws", { endpoint: "https://169.254.169.254" }],
    ["aws", { endpoint: "https://keyhole.example.org" }],
    ["aws", { endpoint: "https://secretsmanager.internal" }],
    ["aws", { endpoint: "https://example.org:8200" }],
    ["azure", { vault_url: "https://keyhole-test.vault.azure.net.evil.example.org" }],
    ["azure", { vault_url: "https://evil.example.org/.vault.azure.net" }],
    ["azure", { vault_url: "https://a.b.vault.azure.net" }],
    ["azure", { vault_url: "https://vault.azure.net" }],
    ["azure", { vault_url: "https://xvault.azure.net" }],
    ["azure", { vault_url: "http://keyhole-test.vault.azure.net" }],
    ["azure", { vault_url: "https://keyhole-test.vault.azure.net:8443" }],
    ["azure", { vault_url: "http://127.0.0.1:8080" }],
    ["vault", { address: "http://vault.example.org:8200" }],
    ["vault", { address: "https://vault.example.org:8201" }],
    ["vault", { address: "https://127.0.0.1:8200" }],
    ["vault", { address: "https://[::ffff:10.0.0.1]:8200" }],
    ["vault", { address: "https://vault:8200" }],
    ["vault", { address: "https://vault.example.org:8200/v1" }],
    ["vault", { address: "https://keyhole.example.org" }],
    ["vault", { mount: "../sys" }],
    ["vault", { mount: "" }],
    ["vault", { namespace: "a\r\nX-Other: b" }],
  ])("of %s are none of these, and nothing is sent: %j", async (kind, more) => {
    expect(await refusalOf(async () => place.open(kind, more).get("a"))).toBe("address");
    expect(place.network.asked).toEqual([]);
  });

  it("are on this machine only where that is allowed", async () => {
    const rules = { insecureOrigins: true, ownHosts: new Set<string>() };
    for (const [kind, more] of [
      ["aws", { endpoint: "http://127.0.0.1:1" }],
      ["azure", { vault_url: "http://localhost:1" }],
      ["vault", { address: "http://[::1]:1" }],
    ] as const) {
      const standIns = { authority: "http://127.0.0.1:2" };
      expect(await refusalOf(place.open(kind, more, undefined, { rules, standIns }).get("a"))).toBe("unreachable");
    }
    expect(new Set(place.network.asked)).toEqual(new Set(["POST http://127.0.0.1:1", "POST http://127.0.0.1:2", "GET http://[::1]:1"]));
  });
});

it("says of a permission that it is missing, and not more", async () => {
  place.aws.denied.add("GetSecretValue");
  place.azure.denied.add("GET");
  place.vault.denied.add("secret/data/a");
  for (const kind of KINDS) expect(await refusalOf(place.open(kind).get("a"))).toBe("permission");
});

it("says of a disabled secret of Azure's that it may not be read", async () => {
  place.azure.secrets.set("a", { name: "a", versions: [{ id: "0".repeat(32), value: "x", enabled: false, created: 0 }] });
  expect(await refusalOf(place.open("azure").get("a"))).toBe("permission");
});

it("reads what several AWS errors are behind one name", async () => {
  await opened("aws");
  const managed = answering(400, { __type: "InvalidRequestException", Message: "You can't modify a secret that another service manages." });
  for (const work of ["get", "put", "replace", "delete"] as const) {
    const store = place.open("aws");
    // The deletion looks first whether there is something to delete.
    if (work === "delete") place.network.next.push(place.aws.handle);
    place.network.next.push(managed);
    const write = { operation: operation(), ...(work === "replace" && { ifVersion: operation() }) };
    expect(await refusalOf(work === "get" ? store.get("a") : work === "delete" ? store.delete("a") : store.put("a", bytes("2"), write))).toBe("permission");
  }
});

it("gives a secret of AWS that has no value yet its first one", async () => {
  place.aws.secrets.set("empty", { arn: "x", versions: new Map() });
  const store = place.open("aws");
  expect(await store.get("empty")).toBeUndefined();
  const write = { operation: operation(), ifVersion: null };
  expect(await store.put("empty", bytes("1"), write)).toEqual({ version: write.operation });
  expect(await store.get("empty")).toEqual({ value: bytes("1"), version: write.operation });
});

it.each(["aws", "azure", "vault"] as const)("knows of a deletion at %s that it was made, when the reply went lost", async (kind) => {
  const store = await opened(kind);
  let lost = false;
  const losing: Handle = async (request) => {
    const reply = await place[kind].handle(request);
    if (lost || !(request.method === "DELETE" || request.headers.get("X-Amz-Target")?.endsWith(".DeleteSecret"))) return reply;
    lost = true;
    throw new TypeError("connection lost");
  };
  place.network.next.push(losing, losing);
  expect([await store.delete("a"), lost]).toEqual([true, true]);
  expect(await store.delete("a")).toBe(false);
});

it("leaves no label on a version of AWS's that came too late", async () => {
  const store = await opened("aws");
  const late = operation();
  expect(await refusalOf(store.put("a", bytes("2"), { operation: late, ifVersion: operation() }))).toBe("conflict");
  expect(place.aws.secrets.get("a")?.versions.get(late)?.stages).toEqual(new Set());
});
