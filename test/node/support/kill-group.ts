import type { ChildProcess } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** Kills a process that leads a group, and all of the group. */
export function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Waits until no process of the group is left. One that is dead and has not been buried by its parent does nothing any more. */
export async function gone({ pid }: ChildProcess): Promise<void> {
  for (let n = 0; n < 1_000; n++) {
    if (!isAlive(pid ?? 0)) return;
    await sleep(10);
  }
  throw new Error("a process of a killed instance is still there");
}

function isAlive(group: number): boolean {
  if (existsSync("/proc/self/stat")) return processes().some(({ stat }) => new RegExp(`^\\d+ \\(.*\\) [^Z] \\d+ ${group} `, "s").test(stat));
  try {
    return process.kill(-group, 0);
  } catch {
    return false;
  }
}

/** What the system tells of its processes; nothing where it does not. */
export function processes(): { stat: string; commandLine: string }[] {
  if (!existsSync("/proc/self/stat")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      try {
        return [{ stat: readFileSync(`/proc/${pid}/stat`, "utf8"), commandLine: readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ") }];
      } catch {
        return [];
      }
    });
}
