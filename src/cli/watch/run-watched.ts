import { setTimeout as wait } from "node:timers/promises";
import { describeError } from "../describe-error.ts";
import { ENDING_SIGNALS, onSignals } from "../on-signals.ts";
import { note } from "../output.ts";
import { type Child, OF_CHILD, startChild } from "../run-child.ts";
import type { Watcher } from "./watch-requests.ts";

/** What a program is given. */
export interface Given {
  readonly env: NodeJS.ProcessEnv;
  /** What its output is masked of, if it is. */
  readonly masked: readonly string[] | undefined;
  /** The variables that come from secrets. */
  readonly variables: Readonly<Record<string, string>>;
}

/** How a program is watched for. */
export interface Watching {
  readonly watcher: Watcher;
  /** Gets anew what the program is given. */
  readonly gather: () => Promise<Given>;
  /** Seconds between two questions. */
  readonly interval: number;
  /** What is sent to the program when something has changed; without one it is started again. */
  readonly signal: NodeJS.Signals | undefined;
}

/** How long a program has to end, in milliseconds, before it is killed. */
const GRACE = 10_000;
/** A program that was started less than so many milliseconds ago has to wait longer each time before it is started again. */
const RECENT = 60_000;
/** The longest time between two questions, in seconds, but where the interval is longer. */
const LONGEST = 300;
/** By which part the time between two questions is longer or shorter, drawn at random: programs that were started together do not ask together. */
const JITTER = 0.2;

/**
 * Runs a program, and when what it is given has changed starts it again, or sends it a signal. Its end, but for that, is the end; so is a
 * signal that ends us. Whatever is wrong with asking is told once, and the program left as it is.
 */
export async function runWatched(file: string, args: readonly string[], first: Given, { signal, ...watching }: Watching): Promise<number> {
  const over = new AbortController();
  let given = first;
  let child = startChild(file, args, given.env, given.masked);
  let startedAt = performance.now();
  let hurried = 0;
  // Between one program and the next one nobody listens, and a signal would end us at once: so it waits for the next one.
  const letGo = onSignals(OF_CHILD, () => {});
  // What the last one left running may print for long: signals are ours again.
  const end = () => {
    letGo();
    return child.ended();
  };
  try {
    for (;;) {
      const next = await Promise.race([child.exited, nextChange(given, { ...watching, hurried }, over.signal)]);
      if (typeof next === "number") return await end();
      given = next;
      if (signal !== undefined) {
        if (given.masked) child.mask(given.masked);
        child.kill(signal);
        continue;
      }
      const code = await stop(child);
      if (code !== undefined) return await end();
      hurried = performance.now() - startedAt < RECENT ? hurried + 1 : 0;
      child = startChild(file, args, given.env, given.masked);
      startedAt = performance.now();
    }
  } finally {
    over.abort();
    letGo();
  }
}

/** Waits until something has changed that the program is given, and gets it. Never rejects but when it is `over`. */
async function nextChange(given: Given, { watcher, gather, interval, hurried }: Omit<Watching, "signal"> & { hurried: number }, over: AbortSignal) {
  let failures = 0;
  for (;;) {
    const seconds = Math.max(interval, Math.min(LONGEST, interval * 2 ** Math.max(failures, hurried)));
    await wait(1000 * seconds * (1 + JITTER * (2 * Math.random() - 1)), undefined, { signal: over });
    try {
      const { told, take } = await watcher.ask(over);
      const next = told.length > 0 ? await gather() : undefined;
      if (failures > 0) note("The service answers again.");
      failures = 0;
      if (next === undefined) continue;
      take();
      note(`Changed: ${told.join("; ")}.`);
      if (!isSame(given.variables, next.variables)) return next;
      note("No variable of the command is another by that.");
    } catch (error) {
      over.throwIfAborted();
      if (failures++ === 0) note(`warning: the command goes on as it is, because this failed: ${describeError(error).message}`);
    }
  }
}

function isSame(one: Given["variables"], other: Given["variables"]): boolean {
  const names = Object.keys(one);
  return names.length === Object.keys(other).length && names.every((name) => Object.hasOwn(other, name) && one[name] === other[name]);
}

/** Ends a program that is to be started again. Returns its exit code where we are to end, too: it had ended by itself, or a signal said so meanwhile. */
async function stop(child: Child): Promise<number | undefined> {
  let asked = false;
  const letGo = onSignals(ENDING_SIGNALS, () => {
    asked = true;
  });
  const killed = new AbortController();
  try {
    const running = Symbol("running");
    const before = await Promise.race([child.exited, new Promise<symbol>((resolve) => void setImmediate(resolve, running))]);
    if (typeof before === "number") return before;
    child.kill("SIGTERM");
    void wait(GRACE, undefined, { signal: killed.signal }).then(
      () => child.kill("SIGKILL"),
      () => undefined,
    );
    const code = await child.exited;
    return asked ? code : undefined;
  } finally {
    killed.abort();
    letGo();
  }
}
