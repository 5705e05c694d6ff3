import { childEnvironment } from "./child-environment.ts";
import { mountFiles } from "./mount-files.ts";
import { ENDING_SIGNALS, onSignals } from "./on-signals.ts";
import { note } from "./output.ts";
import { runChild } from "./run-child.ts";

/**
 * Runs a command while values are in files of a folder, or without one waits for a signal that ends it, Ctrl-C for example. However it
 * ends, but for SIGKILL, the files are taken away. Returns the command's exit code.
 */
export async function withMounted(folder: string, files: Readonly<Record<string, Uint8Array>>, [file, ...args]: readonly string[]): Promise<number> {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  // Before there is a file: what a signal ends takes nothing away.
  const letGo = onSignals(ENDING_SIGNALS, () => end());
  const takeAway = mountFiles(folder, files);
  process.on("exit", takeAway);
  try {
    if (file !== undefined) return await runChild(file, args, childEnvironment(process.env, {}, false), { masked: undefined, replace: false });
    note(`${Object.keys(files).join(", ")}: in ${folder} until Ctrl-C.`);
    // A signal alone does not keep the process.
    const alive = setInterval(() => {}, 60_000);
    await ended;
    clearInterval(alive);
    return 0;
  } finally {
    process.off("exit", takeAway);
    takeAway();
    letGo();
  }
}
