import { chmodSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";

/** How a tool was called. */
export interface Call {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly stdin: string;
}

/** What a tool does: it prints and ends, or another program runs in its place. */
type Answer = { readonly stdout?: string; readonly stderr?: string; readonly code?: number } | { readonly run: readonly [string, ...string[]] };

/** Answers for a tool. What it does not know it throws. */
export type StandIn = (call: Call) => Answer | Promise<Answer>;

/** Programs that stand in for tools. */
export interface StandIns {
  /** What the programs have in their environment. */
  readonly env: Record<string, string>;
  /** Calls that no stand-in knows: they fail, and a document that hides a failure does not hide these. */
  readonly unknown: string[];
  close(): Promise<void>;
}

const PROGRAM = join(import.meta.dirname, "stand-in.mjs");

/** Puts a program for each tool into a folder, which is to come first on the PATH. */
export async function startStandIns(folder: string, tools: Readonly<Record<string, StandIn>>): Promise<StandIns> {
  for (const tool of Object.keys(tools)) {
    writeFileSync(join(folder, tool), `#!/bin/sh\nexec "${process.execPath}" "${PROGRAM}" ${tool} "$@"\n`);
    chmodSync(join(folder, tool), 0o755);
  }
  const unknown: string[] = [];
  const server = createServer(async (request, reply) => {
    const { tool, ...call } = JSON.parse(await bodyOf(request)) as Call & { tool: string };
    reply.end(JSON.stringify(await answer(tools[tool], call).catch((error: Error) => refuse(`${tool} ${call.args.join(" ")}: ${error.message}`))));
  });
  const refuse = (what: string): Answer => {
    unknown.push(what);
    return { stderr: `${what}\n`, code: 64 };
  };
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return { env: { STAND_INS: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }, unknown, close };
}

async function answer(tool: StandIn | undefined, call: Call): Promise<Answer> {
  if (!tool) throw new Error("there is no stand-in");
  return tool(call);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
