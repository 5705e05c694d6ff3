import { once } from "node:events";
import { createServer, type IncomingMessage, request as requestOverHttp, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RawData, WebSocket, WebSocketServer } from "ws";
import { tokenFor } from "./cli/support/start-keyhole.ts";
import { startUseKeyhole, type UseKeyhole } from "./support/uses/keyhole.ts";

const VALUE = "sk-socket-0123456789";
const STARS = "*".repeat(VALUE.length);
const MIB = 2 ** 20;

let upstream: WebSocketServer;
/** What takes no socket, and goes on replying for ever. */
let endless: Server;
let keyhole: UseKeyhole;
let token: string;
/** The requests for sockets that the upstream got, and those sockets. */
const asked: IncomingMessage[] = [];
const sockets: WebSocket[] = [];

beforeAll(async () => {
  upstream = new WebSocketServer({
    port: 0,
    host: "127.0.0.1",
    verifyClient: ({ req }, done) => done(req.headers["x-key"] === VALUE, 401, `not ${VALUE}`),
    handleProtocols: (offered) => (offered.has("chosen") ? "chosen" : offered.has("foreign") ? "never-offered" : false),
  });
  await once(upstream, "listening");
  upstream.on("connection", (socket, request) => {
    asked.push(request);
    sockets.push(socket);
    socket.on("error", () => undefined);
    socket.on("message", (data: RawData, isBinary) => {
      const text = data.toString();
      if (text === "key?") socket.send(`it is ${VALUE}`);
      else if (text === "bytes?") socket.send(Buffer.from(`\0${VALUE}\0`));
      else if (text === "much?") socket.send("x".repeat(MIB + 1));
      else if (text === "close") socket.close(4001, `bye ${VALUE}`);
      else if (text === "lost") socket.terminate();
      // A frame that no library writes.
      else if (text.startsWith("code ")) (request.socket as Socket).write(Buffer.from([0x88, 2, ...uint16(Number(text.slice(5)))]));
      else socket.send(data, { binary: isBinary });
    });
  });
  endless = createServer((_, response) => response.writeHead(200, { "Content-Type": "text/event-stream" }).write("data: 1\n\n")).listen(0, "127.0.0.1");
  await once(endless, "listening");
  keyhole = await startUseKeyhole();
  token = await tokenFor("acme", "secrets:use");
  const definition = {
    origin: `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`,
    inject: [{ in: "header", name: "X-Key", value: "${SOCKETS_KEY}" }],
    allow: [{ methods: ["GET"], paths: ["/v1/realtime"] }],
  };
  await keyhole.serve("sockets", VALUE, { ...definition, websocket: true });
  const stream = { origin: `http://127.0.0.1:${(endless.address() as AddressInfo).port}`, websocket: true };
  const services = { none: {}, brief: { websocket: true, max_seconds: 1 }, stream, briefstream: { ...stream, max_seconds: 1 } };
  for (const [name, fields] of Object.entries(services))
    expect((await keyhole.call("PUT", `/v1/services/${name}`, { ...definition, scopes: ["global"], ...fields })).status).toBe(201);
});
afterAll(async () => {
  await keyhole?.close();
  for (const socket of sockets) socket.terminate();
  upstream?.close();
  endless?.closeAllConnections();
  endless?.close();
});

const HANDSHAKE = { "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": Buffer.alloc(16).toString("base64") };
const uint16 = (value: number) => [value >> 8, value & 255];

interface Opened {
  readonly socket: WebSocket;
  /** What comes next. */
  readonly next: () => Promise<Buffer | string>;
  readonly closed: Promise<[code: number, reason: string]>;
}

/** Opens a socket of a service; what was refused throws its status. */
async function open(
  path = "sockets/v1/realtime?model=m",
  { protocols = [] as string[], headers = { Authorization: `Bearer ${token}` } as Record<string, string> } = {},
): Promise<Opened> {
  const socket = new WebSocket(`${keyhole.url.replace("http", "ws")}/use/${path}`, protocols, { headers });
  const waiting: ((message: Buffer | string) => void)[] = [];
  const come: (Buffer | string)[] = [];
  socket.on("message", (data: RawData, isBinary) => {
    const message = isBinary ? (data as Buffer) : data.toString();
    const taker = waiting.shift();
    if (taker) taker(message);
    else come.push(message);
  });
  const closed = new Promise<[number, string]>((resolve) => socket.on("close", (code, reason) => resolve([code, reason.toString()])));
  await new Promise<void>((resolve, reject) => {
    socket.on("open", () => resolve());
    socket.on("unexpected-response", (_, reply) => {
      let text = "";
      reply.on("data", (chunk) => (text += String(chunk)));
      reply.on("end", () => reject(Object.assign(new Error(text), { status: reply.statusCode })));
    });
    socket.on("error", reject);
  });
  const next = () => new Promise<Buffer | string>((resolve) => (come.length > 0 ? resolve(come.shift() as string) : waiting.push(resolve)));
  return { socket, next, closed };
}

const refusal = (opening: Promise<Opened>) =>
  opening.then(
    () => 101,
    (error: { status?: number }) => error.status,
  );

describe("a WebSocket of a service", () => {
  it("carries messages both ways, and none of the value back", async () => {
    const { socket, next } = await open();
    for (const text of ["hello", "ü🔑", ""]) {
      socket.send(text);
      expect(await next()).toBe(text);
    }
    socket.send(Buffer.from([0, 255, 1]));
    expect(await next()).toEqual(Buffer.from([0, 255, 1]));
    socket.send("key?");
    expect(await next()).toBe(`it is ${STARS}`);
    socket.send("bytes?");
    expect(await next()).toEqual(Buffer.from(`\0${STARS}\0`));
    socket.close();
  });

  it("has nothing of the token, and only what was offered of subprotocols", async () => {
    const protocols = ["other", `openai-insecure-api-key.${token}`, `OpenAI-Insecure-API-Key.${token}`, token, `bearer.${token}`, "chosen"];
    const { socket } = await open(undefined, { protocols, headers: { Cookie: "a=b" } });
    expect(socket.protocol).toBe("chosen");
    const { headers, url } = asked.at(-1) as IncomingMessage;
    expect([url, headers["sec-websocket-protocol"], headers.cookie, headers["keyhole-hop"]]).toEqual(["/v1/realtime?model=m", "other, chosen", undefined, "1"]);
    expect(JSON.stringify(headers)).not.toContain(token);
    socket.close();
    expect(await refusal(open(undefined, { protocols: ["foreign"] }))).toBe(502);
  });

  it("is refused as any request is: by its rule, its token, and where the service takes none", async () => {
    const before = asked.length;
    expect(await refusal(open("sockets/v1/other"))).toBe(403);
    expect(await refusal(open(undefined, { headers: {} }))).toBe(401);
    expect(await refusal(open(undefined, { protocols: [`openai-insecure-api-key.${await tokenFor("acme", "secrets:read")}`] }))).toBe(401);
    expect(await refusal(open("none/v1/realtime"))).toBe(426);
    expect(await refusal(open(undefined, { headers: { Authorization: `Bearer ${token}`, "Sec-Fetch-Dest": "websocket" } }))).toBe(403);
    expect(asked).toHaveLength(before);
  });

  it.each([
    ["a version that is none", { "Sec-WebSocket-Version": "8" }, "426 13"],
    ["no version", { "Sec-WebSocket-Version": undefined }, "426 13"],
    ["no key", { "Sec-WebSocket-Key": undefined }, "400"],
    ["a key of 15 bytes", { "Sec-WebSocket-Key": Buffer.alloc(15).toString("base64") }, "400"],
    ["two keys", { "Sec-WebSocket-Key": [HANDSHAKE["Sec-WebSocket-Key"], HANDSHAKE["Sec-WebSocket-Key"]] }, "400"],
    ["another protocol", { Upgrade: "h2c" }, "426"],
  ])("is not asked for by a handshake with %s, and none of the service is opened", async (_, fields, refused) => {
    const before = asked.length;
    const headers = { Authorization: `Bearer ${token}`, Connection: "Upgrade", Upgrade: "websocket", ...HANDSHAKE, ...fields };
    const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
    const asking = requestOverHttp(`${keyhole.url}/use/sockets/v1/realtime`, { headers: given }).end();
    const [reply] = (await once(asking, "response")) as [IncomingMessage];
    reply.resume();
    expect([reply.statusCode, reply.headers["sec-websocket-version"] ?? []].flat().join(" ")).toBe(refused);
    expect(asked).toHaveLength(before);
  });

  it("is no socket where the service says so, without the value", async () => {
    await keyhole.call("PUT", "/v1/scopes/global/secrets/OTHER_KEY", { value: "sk-of-something-else", hosts: ["127.0.0.1"] });
    const definition = (await (await keyhole.call("GET", "/v1/services/sockets")).json()) as { origins: object; allow: object[] };
    const wrong = {
      origins: definition.origins,
      allow: definition.allow,
      scopes: ["global"],
      websocket: true,
      inject: [{ in: "header", name: "X-Key", value: "${OTHER_KEY}" }],
    };
    expect((await keyhole.call("PUT", "/v1/services/wrong", wrong)).status).toBe(201);
    expect(await refusal(open("wrong/v1/realtime"))).toBe(401);
  });

  it("closes at both ends when one does, with its code, and its reason without the value", async () => {
    const one = await open();
    one.socket.send("close");
    expect(await one.closed).toEqual([4001, `bye ${STARS}`]);
    const two = await open();
    const service = sockets.at(-1) as WebSocket;
    const gone = once(service, "close");
    two.socket.close(4002, "done");
    expect((await gone).map(String)).toEqual(["4002", "done"]);
    const three = await open();
    three.socket.send("lost");
    expect((await three.closed)[0]).toBeGreaterThan(1000);
    const four = await open();
    const left = once(sockets.at(-1) as WebSocket, "close");
    four.socket.terminate();
    expect(Number((await left)[0])).toBeGreaterThan(1000);
  });

  it.each([0, 999, 1004, 1015, 2999, 5000])("closes at both ends also with a code that cannot be sent, as %d", async (code) => {
    const { socket, closed } = await open();
    socket.send(`code ${code}`);
    expect((await closed)[0]).toBeGreaterThan(1000);
  });

  it("takes messages of 1 MiB and no larger ones, from either end", async () => {
    const { socket, next, closed } = await open();
    socket.send("x".repeat(MIB));
    expect((await next()).length).toBe(MIB);
    socket.send("x".repeat(MIB + 1));
    expect((await closed)[0]).toBe(1009);
    const other = await open();
    other.socket.send("much?");
    expect((await other.closed)[0]).toBe(1009);
  });

  it("ends after max_seconds", async () => {
    expect(await (await open("brief/v1/realtime")).closed).toEqual([1008, "the time of the socket is over"]);
  });

  it("is closed within STALE_SECONDS of the token's revocation, at both ends", async () => {
    const narrow = (await (await keyhole.call("POST", "/v1/tokens", { label: "agent", permissions: ["secrets:use"], expires_in: 600 })).json()) as {
      token: string;
      id: string;
    };
    const { closed } = await open(undefined, { headers: { Authorization: `Bearer ${narrow.token}` } });
    const left = once(sockets.at(-1) as WebSocket, "close");
    expect((await keyhole.call("DELETE", `/v1/tokens/${narrow.id}`)).status).toBe(204);
    expect(await closed).toEqual([1008, "the token is not in force any more"]);
    expect(String((await left)[0])).toBe("1008");
  });

  it.each(["max_seconds", "the token's revocation"])("which the service answers by a reply that goes on ends with %s as any reply does", async (why) => {
    const narrow = (await (await keyhole.call("POST", "/v1/tokens", { label: "agent", permissions: ["secrets:use"], expires_in: 600 })).json()) as {
      token: string;
      id: string;
    };
    const headers = { Authorization: `Bearer ${narrow.token}`, Connection: "Upgrade", Upgrade: "websocket", ...HANDSHAKE };
    const asking = requestOverHttp(`${keyhole.url}/use/${why === "max_seconds" ? "briefstream" : "stream"}/v1/realtime`, { headers }).end();
    const [reply] = (await once(asking, "response")) as [IncomingMessage];
    expect(reply.statusCode).toBe(200);
    expect(String((await once(reply, "data"))[0])).toBe("data: 1\n\n");
    reply.resume();
    const broken = new Promise((resolve) => {
      reply.on("error", resolve);
      reply.on("end", () => resolve("end"));
    });
    if (why !== "max_seconds") expect((await keyhole.call("DELETE", `/v1/tokens/${narrow.id}`)).status).toBe(204);
    expect(await broken).toMatchObject({ code: "ECONNRESET" });
  });
});
