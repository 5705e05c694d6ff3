import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { isatty } from "node:tty";
import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";
import { type MaskStream, maskStream } from "./mask-stream.ts";
import { onSignals } from "./on-signals.ts";
import { note } from "./output.ts";
import { replaceProcess } from "./replace-process.ts";

/** Signals that a supervisor sends to us and means for the child. */
const FORWARDED = ["SIGTERM", "SIGHUP", "SIGUSR1", "SIGUSR2"] as const;
/** Signals that a terminal sends to the child as well as to us: a second one would be taken for impatience. */
const FROM_TERMINAL = ["SIGINT", "SIGQUIT"] as const;

/** The signals that are the child's while there is one. */
export const OF_CHILD = [...FORWARDED, ...FROM_TERMINAL] as const;

/** Of the processes that lose their parent in a container, process 1 becomes the parent. Node does not look after those. */
const CANNOT_REAP =
  "warning: keyhole is process 1 and does not collect what the command leaves behind: start the container with an init (docker run --init), or let the command take its place: Node 22.15, without --mask and --no-replace";

let started = false;

/** Whether a program was started: from then on we end as it does, whatever becomes of our streams. */
export function childStarted(): boolean {
  return started;
}

/** How a program is run. */
export interface Running {
  /** What its output is masked of, if it is. */
  readonly masked: readonly string[] | undefined;
  /** Whether it may take our place. */
  readonly replace: boolean;
}

/**
 * Runs a program, without a shell, on our own standard streams: in our place, unless its output is masked or that may not or
 * cannot be done. Else returns its exit code, or 128 and the number of the signal that ended it.
 */
export async function runChild(file: string, args: readonly string[], env: NodeJS.ProcessEnv, { masked, replace }: Running): Promise<number> {
  if (replace && !masked) replaceProcess(file, args, env);
  return startChild(file, args, env, masked).ended();
}

/** A program that was started, on our own standard streams. */
export interface Child {
  /** Its exit code, or 128 and the number of the signal that ended it: when it has ended. */
  readonly exited: Promise<number>;
  /** The same when everything is printed, too, also by what it left running. */
  ended(): Promise<number>;
  kill(signal: NodeJS.Signals): void;
  /** Masks further values in its output, where that is masked. */
  mask(values: readonly string[]): void;
}

/** Starts a program, without a shell. Signals are passed on to it until it has ended. */
export function startChild(file: string, args: readonly string[], env: NodeJS.ProcessEnv, masked: readonly string[] | undefined): Child {
  if (process.pid === 1) note(CANNOT_REAP);
  const { child, stop } = start(file, args, { env, stdio: masked ? ["inherit", "pipe", "pipe"] : "inherit", shell: false, windowsHide: true });
  started = true;
  const masks = masked ? [maskStream(masked), maskStream(masked)] : [];
  const output = Promise.all(masks.map((mask, at) => copy([child.stdout, child.stderr][at], [process.stdout, process.stderr][at], mask)));
  // What the child left running may print for long: signals are ours again.
  const exited = ended(child, file).finally(stop);
  return {
    exited,
    async ended() {
      const code = await exited;
      const failure = (await output).find((error) => error !== undefined);
      if (failure) throw failure;
      return code;
    },
    kill: (signal) => void child.kill(signal),
    mask: (values) => masks.forEach((mask) => void mask.add(values)),
  };
}

/** Some of what is wrong with a program comes as an event, and some is thrown. */
function start(file: string, args: readonly string[], options: SpawnOptions): { readonly child: ChildProcess; readonly stop: () => void } {
  const running: { child?: ChildProcess } = {};
  // Before it is there: a signal that came in between would end us, and leave it behind.
  const stop = passSignals(running);
  try {
    running.child = spawn(file, args, options);
    return { child: running.child, stop };
  } catch (error) {
    stop();
    throw notStarted(file, error as NodeJS.ErrnoException);
  }
}

function ended(child: ChildProcess, file: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", (error: NodeJS.ErrnoException) => reject(notStarted(file, error)));
    child.once("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

/** What runs a line, or on Windows what is no program but a script of its shell, as `npm` is there. */
const SHELL = process.platform === "win32" ? "cmd /c …" : "sh -c '…'";

function notStarted(file: string, { code }: NodeJS.ErrnoException): CliError {
  if (code === "ENOENT")
    return new CliError(`${file}: no such command`, `there is no shell in between: name a program, or use -- ${SHELL}`, EXIT.noSuchCommand);
  if (code === "E2BIG")
    return new CliError(`${file} cannot be run (E2BIG): its arguments and environment are too large`, "name fewer secrets with --only", EXIT.cannotExecute);
  return new CliError(`${file} cannot be run (${code})`, "is it a program that you may execute?", EXIT.cannotExecute);
}

/** Copies what the child prints. When that cannot be written any more, the child's pipe is closed too. Returns why, unless it is that nobody reads. */
async function copy(from: Readable | null | undefined, to: Writable | undefined, { stream }: MaskStream): Promise<Error | undefined> {
  try {
    if (from && to) await pipeline(from, stream, to, { end: false });
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPIPE" ? undefined : (error as Error);
  }
}

/** Passes signals on to the child that is run; we end when it does. Returns what takes that back. */
function passSignals(running: { readonly child?: ChildProcess }): () => void {
  // Not `process.stdin.isTTY`: Node makes a stream of a pipe non-blocking, the child's too, which then fails to wait for its input.
  const onTerminal = [0, 1, 2].some(isatty);
  const pass = (signal: NodeJS.Signals) => void running.child?.kill(signal);
  const wait = () => {};
  const interrupted = onTerminal ? wait : pass;
  const ends = [onSignals(FORWARDED, pass), onSignals(FROM_TERMINAL, interrupted)];
  return () => ends.forEach((end) => void end());
}
