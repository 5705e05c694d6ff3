import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { tokenFor } from "./cli/support/start-keyhole.ts";
import { startUseKeyhole, type UseKeyhole } from "./support/uses/keyhole.ts";

const VALUE = "sk-raw-0123456789abcdef";

/** An upstream of bytes: what it was sent on each connection, and what it answers to whatever comes. */
let received: string[] = [];
let answer = "";
let server: Server;
let keyhole: UseKeyhole;
let token: string;

beforeAll(async () => {
  server = createServer((socket: Socket) => {
    const at = received.push("") - 1;
    socket.on("error", () => undefined);
    socket.on("data", (chunk) => {
      received[at] += chunk.toString("latin1");
      if (isWhole(received[at] ?? "")) socket.end(Buffer.from(answer, "latin1"));
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  keyhole = await startUseKeyhole();
  token = await tokenFor("acme", "secrets:use");
  await keyhole.serve("raw", VALUE, {
    origin: `http://127.0.0.1:${port}`,
    inject: [{ in: "header", name: "X-Key", value: "${RAW_KEY}" }],
    allow: [{ methods: ["GET", "POST"], paths: ["/a/**"] }],
  });
});
afterAll(async () => {
  await keyhole?.close();
  server?.close();
});
beforeEach(() => {
  received = [];
  answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
});

/** Whether a request has come to its end: what is not said to have a body has none. */
function isWhole(text: string): boolean {
  const [head, ...rest] = text.split("\r\n\r\n");
  if (rest.length === 0) return false;
  const body = rest.join("\r\n\r\n");
  if (/^transfer-encoding: chunked$/im.test(head ?? ""))
    return body.endsWith("0\r\n") || body.endsWith("0\r\n\r\n") || /(?:^|\r\n)0\r\n/.test(text.slice((head?.length ?? 0) + 4));
  const [, length = "0"] = /^content-length: (\d+)$/im.exec(head ?? "") ?? [];
  return body.length >= Number(length);
}

/** Sends a request as these bytes, which name the token as `TOKEN`; returns all that came back. */
async function send(text: string): Promise<string> {
  const socket = connect(keyhole.port, "127.0.0.1");
  socket.write(Buffer.from(text.replaceAll("TOKEN", token), "latin1"));
  let reply = "";
  socket.on("data", (chunk) => {
    reply += chunk.toString("latin1");
  });
  socket.on("error", () => undefined);
  await once(socket, "close");
  return reply;
}

/** A request line and its headers, the last of which has the connection closed. */
const head = (line: string, ...headers: string[]) =>
  [`${line} HTTP/1.1`, `Host: 127.0.0.1:${keyhole.port}`, "Authorization: Bearer TOKEN", ...headers, "Connection: close", "", ""].join("\r\n");

const requestsIn = (text: string) => text.match(/^[A-Z]+ \S+ HTTP\/1\.1\r$/gm) ?? [];

/** Every header line that the upstream got. */
const headersIn = (text = "") => text.split("\r\n\r\n")[0]?.split("\r\n").slice(1) ?? [];

describe("a request of bytes", () => {
  it.each([
    ["both lengths and chunks", "Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\nGET /a/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["chunks after a name that is nearly theirs", "Transfer-Encoding : chunked", "0\r\n\r\nGET /a/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["chunks beside another encoding", "Transfer-Encoding: xchunked", "0\r\n\r\nGET /a/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"],
    ["two lengths", "Content-Length: 4\r\nContent-Length: 60", "abcdGET /a/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"],
    [
      "a header that goes on in the next line",
      "X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 0",
      "0\r\n\r\nGET /a/smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
    ],
    ["a chunk with an end of a line only", "Transfer-Encoding: chunked", "4\nabcd\n0\n\nGET /a/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"],
  ])("is one request for the service, or none: %s", async (_, headers, body) => {
    await send(head("POST /use/raw/a/x", headers) + body);
    for (const text of received) expect(requestsIn(text).filter((line) => !line.startsWith("POST /a/x "))).toEqual([]);
    // What Keyhole sends says its length in one way.
    for (const text of received)
      expect(headersIn(text).filter((line) => /^(?:content-length|transfer-encoding):/i.test(line)).length, text).toBeLessThanOrEqual(1);
  });

  it.each([
    ["a line's end in the path", "GET /use/raw/a/x%0d%0aX-Injected:%201"],
    ["a line's end in the query", "GET /use/raw/a/x?q=%0d%0aX-Injected:%201"],
    ["another host in the request line", "GET http://169.254.169.254/use/raw/a/x"],
    ["two slashes", "GET //use/raw/a/x"],
    ["a user before the host", "GET http://user@127.0.0.1/use/raw/a/x"],
    ["a fragment", "GET /use/raw/a/x#/../../b"],
  ])("goes to the service's own origin as one line, or nowhere: %s", async (_, line) => {
    await send(head(line));
    for (const text of received) {
      expect(headersIn(text).map((header) => header.toLowerCase().split(":")[0])).not.toContain("x-injected");
      expect(headersIn(text).filter((header) => /^host:/i.test(header))).toEqual([`Host: 127.0.0.1:${(server.address() as { port: number }).port}`]);
      expect(text).toMatch(/^GET \/a\/x\S* HTTP\/1\.1\r\n/);
    }
  });

  it("brings nothing that names another host, another caller or another key", async () => {
    const names = [
      "X-Forwarded-Host: evil.example",
      "Forwarded: host=evil.example",
      "X-Original-URL: /b",
      "X-Key: mine",
      "x-KEY: mine",
      "Cookie: a=b",
      "Expect: 100-continue",
    ];
    await send(head("GET /use/raw/a/x", ...names));
    expect(received).toHaveLength(1);
    const named = headersIn(received[0]).map((header) => header.toLowerCase());
    expect(named.filter((header) => header.startsWith("x-key:"))).toEqual([`x-key: ${VALUE}`]);
    for (const name of ["x-forwarded-host", "forwarded", "x-original-url", "cookie", "expect", "authorization", "transfer-encoding"])
      expect(
        named.filter((header) => header.startsWith(`${name}:`)),
        name,
      ).toEqual([]);
    expect(received[0]).not.toContain(token);
  });
});

describe("a reply of bytes", () => {
  const get = () => send(head("GET /use/raw/a/x"));

  it.each([
    ["a second one after it", `HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nX-Second: ${VALUE}\r\nContent-Length: 5\r\n\r\n${VALUE}`],
    ["two lengths", `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 40\r\n\r\nok${VALUE}`],
    ["a length and chunks", `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n${VALUE}`],
    ["a header in two lines", `HTTP/1.1 200 OK\r\nX-A: b\r\n Set-Cookie: k=${VALUE}\r\nContent-Length: 2\r\n\r\nok`],
    ["a line's end alone in a header", `HTTP/1.1 200 OK\r\nX-A: b\rSet-Cookie: k=${VALUE}\r\nContent-Length: 2\r\n\r\nok`],
    ["the value in its reason", `HTTP/1.1 200 ${VALUE}\r\nContent-Length: 2\r\n\r\nok`],
    ["the value in a header's name", `HTTP/1.1 200 OK\r\n${VALUE}: 1\r\nContent-Length: 2\r\n\r\nok`],
    ["the value in a header's name, in other letters", `HTTP/1.1 200 OK\r\nX-${VALUE.toUpperCase()}: 1\r\nContent-Length: 2\r\n\r\nok`],
    ["the value in a trailer", `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-T\r\n\r\n2\r\nok\r\n0\r\nX-T: ${VALUE}\r\n\r\n`],
    ["the value in an early hint", `HTTP/1.1 103 Early Hints\r\nLink: <${VALUE}>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok`],
    ["nothing but the value", VALUE],
    ["an old one without a length", `HTTP/1.0 200 OK\r\n\r\nok ${VALUE}`],
  ])("is one reply without the value: %s", async (_, bytes) => {
    answer = bytes;
    const reply = await get();
    expect(received).toHaveLength(1);
    expect(reply.match(/^HTTP\/1\.1 \d{3} /gm)).toHaveLength(1);
    expect(reply.toLowerCase()).not.toContain(VALUE);
    expect(reply.toLowerCase()).not.toContain("set-cookie");
  });

  it.each(["2", "40"])("is broken off where its chunks are not the %s bytes that it says", async (length) => {
    answer = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n${"x".repeat(20)}\r\n0\r\n\r\n`;
    expect(await get()).not.toContain("xxx");
  });
});
