import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

/** What a block of commands did. */
interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** Each command that failed, with its line in the block and its exit code. */
  readonly failures: readonly string[];
}

/** A shell that stays, as a reader's does: what one block sets, the next one has. */
export interface Session {
  /** Runs a block. With `together`, what goes to standard error is in `stdout` too, where it was written. */
  run(text: string, together?: boolean): Promise<Outcome>;
  close(): Promise<void>;
}

/** Opens a shell whose own files are in a folder. Standard input is empty. A block that takes longer than `limit` milliseconds ends the shell. */
export function openSession(folder: string, { cwd, env, limit = 60_000 }: { cwd: string; env: Record<string, string>; limit?: number }): Session {
  const at = (name: string) => join(folder, name);
  // A trap and not `set -e`: a reader's shell goes on after a failure. -E has it hold in $(…) too, whose failure `export` hides.
  const driver = `set -E -o pipefail
trap 'echo "line $LINENO: $BASH_COMMAND: exit code $?" >> "${at("failures")}"' ERR
while IFS= read -r __redirection <&3; do
  if [ "$__redirection" = together ]; then . "${at("block")}" < /dev/null > "${at("stdout")}" 2>&1 3<&- 4>&-
  else . "${at("block")}" < /dev/null > "${at("stdout")}" 2> "${at("stderr")}" 3<&- 4>&-; fi
  echo done >&4
done`;
  const shell = spawn("bash", ["--noprofile", "--norc", "-c", driver], { cwd, env, detached: true, stdio: ["ignore", "inherit", "inherit", "pipe", "pipe"] });
  const [, , , requests, replies] = shell.stdio as unknown as [null, null, null, Writable, Readable];
  const done = createInterface(replies);
  const run = async (text: string, together = false): Promise<Outcome> => {
    for (const name of ["failures", "stdout", "stderr"]) writeFileSync(at(name), "");
    // The last command is one that works: else the reading of the block counts as a failure too.
    writeFileSync(at("block"), `${text}\n:\n`);
    const ended = oneOf(done, shell);
    requests.write(together ? "together\n" : "apart\n");
    const timer = setTimeout(() => endGroup(shell), limit);
    const end = await ended;
    clearTimeout(timer);
    const [failures = "", stdout = "", stderr = ""] = ["failures", "stdout", "stderr"].map((name) => readFileSync(at(name), "utf8"));
    return { stdout, stderr, failures: [...failures.split("\n").filter((line) => line !== ""), ...(end === "exit" ? ["the shell ended"] : [])] };
  };
  return { run, close: () => closed(shell, requests) };
}

/** Whether the block came to its end, or the shell with it. */
function oneOf(done: NodeJS.EventEmitter, shell: ChildProcess): Promise<"line" | "exit"> {
  return new Promise((resolve, reject) => {
    if (shell.exitCode !== null || shell.signalCode !== null) return resolve("exit");
    const ends = { line: () => end("line"), exit: () => end("exit"), error: (error: Error) => reject(error) };
    const end = (how: "line" | "exit") => {
      done.off("line", ends.line);
      shell.off("exit", ends.exit).off("error", ends.error);
      resolve(how);
    };
    done.on("line", ends.line);
    shell.on("exit", ends.exit).on("error", ends.error);
  });
}

async function closed(shell: ChildProcess, requests: Writable): Promise<void> {
  if (shell.exitCode === null && shell.signalCode === null) {
    const exit = new Promise((resolve) => shell.once("exit", resolve));
    requests.end();
    await exit;
  }
  endGroup(shell);
}

/** Ends the shell and everything that it has started: it is the leader of a group of its own. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}
