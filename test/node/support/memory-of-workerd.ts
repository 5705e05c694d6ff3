import { execFileSync } from "node:child_process";

/** The resident memory, in MiB, of every workerd that this process or a child of its started. */
export function memoryOfWorkerd(): number {
  const processes = execFileSync("ps", ["-A", "-o", "pid=,ppid=,rss=,comm="], { encoding: "utf8" })
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .map(([pid, parent, rss, command = ""]) => ({ pid: Number(pid), parent: Number(parent), rss: Number(rss), command }));
  const ours = new Set([process.pid]);
  for (let size = 0; size !== ours.size; ) {
    size = ours.size;
    for (const { pid, parent } of processes) if (ours.has(parent)) ours.add(pid);
  }
  const kibibytes = processes.filter(({ pid, command }) => ours.has(pid) && /workerd$/.test(command)).reduce((sum, { rss }) => sum + rss, 0);
  return Math.round(kibibytes / 1024);
}
