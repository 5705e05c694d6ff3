import { CliError } from "./cli-error.ts";
import { EXIT } from "./exit-code.ts";

/** Whether somebody can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true;
}

/** Asks for something that is not to be seen: nothing is echoed, not even how long it is. */
export async function askHidden(message: string): Promise<string> {
  const { password } = await import("@clack/prompts");
  return answered(await password({ message, mask: "", output: process.stderr }));
}

/** Asks for a line of text. */
export async function askText(message: string, placeholder: string): Promise<string> {
  const { text } = await import("@clack/prompts");
  return answered(await text({ message, placeholder, output: process.stderr }));
}

/** Asks whether to go on with something that cannot be undone. */
export async function askToConfirm(question: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  if (!canAsk()) throw new CliError("this cannot be undone, and there is no terminal to confirm it on", "add --yes", EXIT.usage);
  const { confirm } = await import("@clack/prompts");
  if (!answered(await confirm({ message: question, initialValue: false, output: process.stderr }))) throw cancelled();
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (typeof answer === "symbol") throw cancelled();
  return answer as Exclude<T, symbol>;
}

function cancelled(): CliError {
  return new CliError("cancelled, nothing was changed", "run it again when you are sure", EXIT.cancelled);
}
