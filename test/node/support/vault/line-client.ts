import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Outcome, VaultClient } from "./vault-client.ts";

/** A program that reads an operation from each line, and prints what came of it. */
export function lineClient(address: string, [command, ...args]: readonly [string, ...string[]]): VaultClient {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], env: { ...process.env, VAULT_ADDR: address, VAULT_TOKEN: "" } });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async perform(operation) {
      child.stdin.write(`${JSON.stringify(operation)}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended at ${operation.op}`);
      return JSON.parse(value) as Outcome;
    },
    async close() {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
    },
  };
}
