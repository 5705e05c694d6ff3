import { connect } from "node:net";
import type { Measured, Shot } from "./load.ts";

const HEAD_END = Buffer.from("\r\n\r\n");
/** As workerd writes it. */
const LENGTH = Buffer.from("\r\nContent-Length: ");
const STATUS_AT = "HTTP/1.1 ".length;

/**
 * Makes one request again and again over raw sockets, each one after the other on its connection, for `milliseconds`. It
 * takes a fifth of the time of Node's own client, so that what is measured is the Worker.
 *
 * @throws {Error} when one is not answered with the status that it has to.
 */
export async function pump(url: URL, shot: Shot, connections: number, milliseconds: number): Promise<Measured> {
  const bytes = bytesOf(url, shot);
  const started = performance.now();
  const end = started + milliseconds;
  const all = await Promise.all(Array.from({ length: connections }, () => pumpOne(url, bytes, shot.expect, end)));
  const latencies = all.flat();
  return { perSecond: latencies.length / ((performance.now() - started) / 1000), latencies };
}

function bytesOf(url: URL, { method, path, headers, body = "" }: Shot): Buffer {
  const all = { Host: url.host, ...headers, ...(body !== "" && { "Content-Length": String(Buffer.byteLength(body)) }) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
}

function pumpOne(url: URL, bytes: Buffer, expect: number, end: number): Promise<number[]> {
  return new Promise((resolve, reject) => {
    const latencies: number[] = [];
    const socket = connect(Number(url.port), url.hostname);
    let received = Buffer.alloc(0);
    let before = 0;
    const send = (): void => {
      before = performance.now();
      socket.write(bytes);
    };
    socket.setNoDelay(true);
    socket.on("error", reject);
    socket.on("connect", send);
    socket.on("data", (chunk: Buffer<ArrayBuffer>) => {
      received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
      const length = responseLength(received, expect);
      if (length instanceof Error) {
        socket.destroy();
        reject(length);
        return;
      }
      if (length === undefined || received.length < length) return;
      received = Buffer.alloc(0);
      const now = performance.now();
      latencies.push(now - before);
      if (now < end) return send();
      socket.destroy();
      resolve(latencies);
    });
  });
}

/** How long a response is, once its head is there. Bytes are searched, because a text of each head would take as long as the Worker. */
function responseLength(received: Buffer, expect: number): number | Error | undefined {
  const head = received.indexOf(HEAD_END);
  if (head < 0) return undefined;
  if (received.toString("latin1", STATUS_AT, STATUS_AT + 3) !== String(expect)) return new Error(`answered ${received.toString("latin1", 0, head)}`);
  const at = received.indexOf(LENGTH);
  if (at < 0 || at > head) return new Error("a response does not say how long it is");
  return head + HEAD_END.length + Number.parseInt(received.toString("latin1", at + LENGTH.length, at + LENGTH.length + 9), 10);
}
