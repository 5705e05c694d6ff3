import type { Key } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { ReadStream } from "node:tty";

/** A pause in milliseconds after which a paste has come to its end. */
const QUIET = 50;

/** What is pasted at a question that takes one line. */
export interface Paste {
  /** Takes in what is left of it, so that it reaches neither the screen nor the shell. */
  end(): Promise<void>;
  /** What the answer lacks of it, if anything. */
  lost(): string | undefined;
}

/** Watches for what a question for one line would drop without a word: further lines, and tabs. */
export function watchPaste(terminal: ReadStream): Paste {
  let keys = 0;
  let ended = false;
  let more = false;
  let tabs = false;
  const onKey = (_: string | undefined, { name }: Key) => {
    keys++;
    if (name === "return" || name === "enter") ended = true;
    else if (ended) more = true;
    else if (name === "tab") tabs = true;
  };
  terminal.on("keypress", onKey);
  // The question leaves raw mode with its answer: what comes of a paste after that would be shown.
  const setRawMode = terminal.setRawMode.bind(terminal);
  terminal.setRawMode = (raw) => (raw ? setRawMode(true) : terminal);
  return {
    async end() {
      terminal.resume();
      for (let before = -1; before !== keys; await sleep(QUIET)) before = keys;
      terminal.off("keypress", onKey).pause();
      terminal.setRawMode = setRawMode;
      terminal.setRawMode(false);
    },
    lost: () => (more ? "several lines" : tabs ? "a tab" : undefined),
  };
}
