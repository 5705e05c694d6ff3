import { spawn, spawnSync } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createGunzip } from "node:zlib";
import { closeServer, type FakeApi, listen } from "./fake-apis.ts";

/** Whether this machine has git with its server for HTTP. */
export function hasGitServer(): boolean {
  const { status, stdout } = spawnSync("git", ["--exec-path"], { encoding: "utf8" });
  return status === 0 && spawnSync(`${stdout.trim()}/git-http-backend`, { env: { REQUEST_METHOD: "GET" } }).error === undefined;
}

/** Git's own server for HTTP (git-http-backend(1), as CGI, RFC 3875) on loopback, for who has the password. */
export async function startGitServer(root: string, username: string, password: string): Promise<FakeApi> {
  const asked: string[] = [];
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
  const server = createServer((request, response) => {
    if (request.headers.authorization !== expected) {
      response.writeHead(401, { "WWW-Authenticate": 'Basic realm="git"' }).end();
      return;
    }
    asked.push(`${request.method} ${request.url}`);
    answer(root, request, response);
  });
  const origin = await listen(server);
  return { origin, asked, close: () => closeServer(server) };
}

function answer(root: string, request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? "/", "http://git");
  const child = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: root,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_CONFIG_COUNT: "1",
      GIT_CONFIG_KEY_0: "safe.directory",
      GIT_CONFIG_VALUE_0: "*",
      REMOTE_USER: "keyhole",
      REMOTE_ADDR: "127.0.0.1",
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(pathname),
      QUERY_STRING: search.slice(1),
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  const body = request.headers["content-encoding"] === "gzip" ? request.pipe(createGunzip()) : request;
  body.pipe(child.stdin).on("error", () => undefined);
  let head = Buffer.alloc(0);
  const readHead = (chunk: Buffer): void => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end === -1) return;
    child.stdout.off("data", readHead);
    const fields = head
      .subarray(0, end)
      .toString("latin1")
      .split("\r\n")
      .map((line) => line.split(/: (.*)/s));
    const headers = Object.fromEntries(fields.flatMap(([name = "", value = ""]) => (name === "Status" ? [] : [[name, value]])));
    response.writeHead(Number.parseInt(fields.find(([name]) => name === "Status")?.[1] ?? "200", 10), headers);
    response.write(head.subarray(end + 4));
    child.stdout.pipe(response);
  };
  child.stdout.on("data", readHead);
}
