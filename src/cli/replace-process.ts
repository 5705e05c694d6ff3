import * as module from "node:module";
import { findExecutable } from "./find-executable.ts";

/** What the system surely takes for arguments and environment together, in bytes: Linux guarantees 32 pages. */
const MOST_BYTES = 120 * 1024;
/** What a pointer to each of them takes. */
const POINTER = 8;

/**
 * Runs a program in place of this process, where Node can (from 22.15 on, on Linux): it has the process's number, its
 * parent's signals and its place, as if it had been started itself. Returns only where that cannot be done for sure.
 */
export function replaceProcess(file: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
  if (process.platform !== "linux" || !process.execve) return;
  const path = findExecutable(file, env.PATH);
  const variables = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
  if (path === undefined || sizeOf([path, file, ...args, ...Object.entries(variables).map((pair) => pair.join("="))]) > MOST_BYTES) return;
  // What Node ignores, the program would too; what it handles is as usual again.
  for (const signal of ["SIGPIPE", "SIGXFSZ"] as const) process.on(signal, () => {});
  // Node makes pipes non-blocking, and its child would find them so.
  for (const stream of [process.stdout, process.stderr]) (stream as WithHandle)._handle?.setBlocking?.(true);
  // Without an end of the process what was compiled would be compiled each time.
  module.flushCompileCache?.();
  process.execve(path, [file, ...args], variables);
}

/** What Node's streams have beneath, which its types do not say. */
type WithHandle = NodeJS.WriteStream & { readonly _handle?: { setBlocking?(blocking: boolean): void } };

function sizeOf(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text) + 1 + POINTER, 0);
}
