import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir, hostname, platform, userInfo } from "node:os";

/** Data that is this machine's and this user's and is not kept beside what it protects. */
export function machineIdentity(): string {
  const { username, uid } = userInfo();
  return JSON.stringify([platform(), hardwareId() ?? hostname(), username, uid, homedir()]);
}

/** The identity that the system was given when it was set up, where it has one. */
function hardwareId(): string | undefined {
  try {
    if (platform() === "darwin") return /"IOPlatformUUID" = "([^"]+)"/.exec(output("/usr/sbin/ioreg", ["-rd1", "-c", "IOPlatformExpertDevice"]))?.[1];
    if (platform() === "win32")
      return /MachineGuid\s+REG_SZ\s+(\S+)/.exec(output("reg.exe", ["query", "HKLM\\SOFTWARE\\Microsoft\\Cryptography", "/v", "MachineGuid"]))?.[1];
    return readFileSync("/etc/machine-id", "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

function output(file: string, args: readonly string[]): string {
  return execFileSync(file, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"], timeout: 5000 });
}
