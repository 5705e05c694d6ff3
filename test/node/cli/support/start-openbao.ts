import { spawn } from "node:child_process";
import { freePort } from "../../support/free-port.ts";

/** An OpenBao, for tests that have one: `BAO=/path/of/bao`. */
export interface OpenBao {
  readonly url: string;
  readonly token: string;
  /** Calls its API; what is not a success is thrown. */
  call(method: string, path: string, body?: string): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an OpenBao in memory, with a KV engine of version 2 at `secret` and one of version 1 at `old`. */
export async function startOpenBao(program: string): Promise<OpenBao> {
  const [port, token] = [await freePort(), "root"];
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(program, ["server", "-dev", `-dev-root-token-id=${token}`, `-dev-listen-address=127.0.0.1:${port}`, "-dev-no-store-token"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  const ended = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let said = "";
    child.once("error", reject).once("exit", () => reject(new Error("OpenBao ended")));
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (said.includes("Development mode should NOT be used")) resolve();
    });
  });
  const call = async (method: string, path: string, body?: string) => {
    const reply = await fetch(`${url}/v1/${path}`, { method, headers: { "X-Vault-Token": token }, ...(body !== undefined && { body }) });
    if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${await reply.text()}`);
    await reply.arrayBuffer();
  };
  await call("POST", "sys/mounts/old", '{"type":"kv","options":{"version":"1"}}');
  const stop = async () => {
    child.kill();
    await ended;
  };
  return { url, token, call, stop };
}
