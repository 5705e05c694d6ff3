import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type Operation, type Outcome, statesOf, type VaultClient } from "./vault-client.ts";

/** The command line of OpenBao, with an empty home. */
export function baoClient(address: string, bao: string): VaultClient {
  const home = mkdtempSync(join(tmpdir(), "keyhole-bao-"));
  const env = { PATH: process.env.PATH, HOME: home, BAO_ADDR: address, BAO_FORMAT: "json", BAO_MAX_RETRIES: "0" };
  let token = "";
  const run = async (args: readonly string[], input?: object) => {
    const child = spawn(bao, args, { env: { ...env, BAO_TOKEN: token } });
    child.stdin.end(input && JSON.stringify(input));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { stdout, stderr };
  };
  return {
    async perform(operation) {
      if (operation.op === "login") token = "";
      const { stdout, stderr } = await run(...commandFor(operation));
      if (stderr !== "") return refused(stderr);
      // What is done without an answer prints nothing, or says so in words.
      const answer = stdout.startsWith("{") || stdout.startsWith("[") ? JSON.parse(stdout) : {};
      if (operation.op === "login") token = answer.auth.client_token;
      return understand(operation, answer);
    },
    close: async () => rmSync(home, { recursive: true }),
  };
}

const KV = "-mount=secret";

function commandFor(operation: Operation): [args: string[], input?: object] {
  switch (operation.op) {
    case "health":
      return [["status"]];
    case "login":
      return [["write", "auth/jwt/login", `role=${operation.role}`, `jwt=${operation.jwt}`]];
    case "self":
      return [["token", "lookup"]];
    case "put":
      return [["kv", "put", KV, ...(operation.cas === undefined ? [] : [`-cas=${operation.cas}`]), operation.path, "-"], operation.data];
    case "patch":
      return [["kv", "patch", KV, operation.path, "-"], operation.data];
    case "put-metadata":
      return [["kv", "metadata", "put", KV, ...Object.entries(operation.custom).map((entry) => `-custom-metadata=${entry.join("=")}`), operation.path]];
    case "metadata":
      return [["kv", "metadata", "get", KV, operation.path]];
    case "delete-metadata":
      return [["kv", "metadata", "delete", KV, operation.path]];
    case "delete-versions":
      return [["kv", "delete", KV, `-versions=${operation.versions}`, operation.path]];
    case "undelete":
    case "destroy":
      return [["kv", operation.op, KV, `-versions=${operation.versions}`, operation.path]];
    default:
      return [["kv", operation.op, KV, operation.path]];
  }
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the program printed.
function understand(operation: Operation, answer: any): Outcome {
  switch (operation.op) {
    case "health":
      return { initialized: answer.initialized, sealed: answer.sealed };
    case "login":
      return { renewable: answer.auth.renewable };
    case "self":
      return { type: answer.data.type };
    case "put":
    case "patch":
      return { version: answer.data.version };
    case "get":
      // Of a deleted object it shows when it was deleted.
      if (!answer.data.data) return { status: 404, ...(answer.data.metadata.deletion_time && { deleted: true }) };
      return { data: answer.data.data, version: answer.data.metadata.version, custom: answer.data.metadata.custom_metadata };
    case "list":
      return Array.isArray(answer) ? { keys: answer } : { status: 404 };
    case "metadata":
      return { current: answer.data.current_version, custom: answer.data.custom_metadata, versions: statesOf(answer.data.versions) };
    default:
      return {};
  }
}

/** What it says to people: the status, and each error after a `*`. */
function refused(stderr: string): Outcome {
  if (stderr.startsWith("No value found")) return { status: 404 };
  const [, status] = /Code: (\d{3})/.exec(stderr) ?? [];
  if (status === undefined) return { failed: stderr };
  return { status: Number(status), errors: [...stderr.matchAll(/^\s*\* (.*)$/gm)].map(([, error]) => error) };
}
