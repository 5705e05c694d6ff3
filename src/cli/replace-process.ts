import * as module from "node:module";
import { findExecutable } from "./find-executable.ts";
import { onSignals } from "./on-signals.ts";

/** What the system surely takes for arguments and environment together, in bytes: Linux guarantees 32 pages. */
const MOST_BYTES = 120 * 1024;
/** What a pointer to each of them takes. */
const POINTER = 8;

/**
 * Runs a program in place of this process, where Node can (from 22.15 on, on Linux): it has the process's number, its
 * parent's signals and its place, as if it had been started itself. Returns only where that
 * cannot be done for sure. Where the system refuses all the same, Node 26 returns here, and an older one aborts.
 */
export function replaceProcess(file: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  if (process.platform !== "linux" || !process.execve) return;
  const path = findExecutable(file, env.PATH);
  const variables = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  if (path === undefined || sizeOf([path, file, ...args, ...Object.entries(variables).map((pair) => pair.join("="))]) > MOST_BYTES) return;
  // What Node ignores, the program would too; what it handles is as usual again.
  const letGo = onSignals(IGNORED, () => {});
  // Node makes pipes non-blocking, and its child would find them so.
  for (const stream of [process.stdout, process.stderr]) (stream as WithHandle)._handle?.setBlocking?.(true);
  // Without an end of the process what was compiled would be compiled each time.
  module.flushCompileCache?.();
  try {
    process.execve(path, [file, ...args], variables);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).syscall !== "execve") throw error;
    letGo();
    // That this is an experiment of Node's, as it would print now, says nothing to whoever runs a command.
    process.removeAllListeners("warning");
  }
}

/** The signals that Node ignores. */
const IGNORED = ["SIGPIPE", "SIGXFSZ"] as const;

/** What Node's streams have beneath, which its types do not say. */
type WithHandle = NodeJS.WriteStream & { readonly _handle?: { setBlocking?(blocking: boolean): void } };

function sizeOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1 + POINTER, 0);
}
