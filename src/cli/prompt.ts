import { CliError, usageError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";
import { clean } from "./output.ts";
import { watchPaste } from "./watch-paste.ts";

/** Whether somebody can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks for something that is not to be seen: a bullet for each letter is. */
export async function askHidden(message: string): Promise<string> {
  const { password } = await import("@clack/prompts");
  const paste = watchPaste(process.stdin);
  const value = await answered((signal) => password({ message: clean(message), mask: "•", output: process.stderr, signal })).finally(paste.end);
  const lost = paste.lost();
  if (lost !== undefined) throw usageError(`the value has ${lost}`, "use --file or --stdin");
  return value;
}

/**
 * Asks for a line of text.
 *
 * @param initial What stands there to begin with, to be taken or changed.
 */
export async function askText(message: string, placeholder: string, initial?: string): Promise<string> {
  const { text } = await import("@clack/prompts");
  return answered((signal) =>
    text({ message: clean(message), placeholder, ...(initial !== undefined && { initialValue: initial }), output: process.stderr, signal }),
  );
}

/** Asks whether to go on with something that cannot be undone. */
export async function askToConfirm(question: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  if (!canAsk()) throw new CliError("this cannot be undone, and there is no terminal to confirm it on", "add --yes", EXIT.usage);
  const { confirm } = await import("@clack/prompts");
  if (!(await answered((signal) => confirm({ message: clean(question), initialValue: false, output: process.stderr, signal })))) throw cancelled();
}

/** The answer to a question. Ctrl-D stops the reading without one, which cancels as Ctrl-C does. */
async function answered<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<Exclude<T, symbol>> {
  const stopped = new AbortController();
  let settled = false;
  // An answer stops the reading too, but is there by the next turn.
  const onPause = () => setImmediate(() => settled || stopped.abort());
  process.stdin.once("pause", onPause);
  const answer = await ask(stopped.signal);
  settled = true;
  process.stdin.off("pause", onPause);
  if (typeof answer === "symbol") throw cancelled();
  return answer as Exclude<T, symbol>;
}

function cancelled(): CliError {
  return new CliError("cancelled, nothing was changed", "run it again when you are sure", EXIT.cancelled);
}
