import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { hostname, platform, userInfo } from "node:os";
import { homeFolder } from "./config-folder.ts";

/** Data that is this machine's and this user's and is not kept beside what it protects. */
export function machineIdentity(): string {
  const { username, uid } = user();
  return JSON.stringify([platform(), hardwareId() ?? hostname(), username, uid, homeFolder()]);
}

function user(): { username: string | null; uid: number } {
  try {
    return userInfo();
  } catch {
    // In a container a user may be a number and no more.
    return { username: null, uid: process.getuid?.() ?? -1 };
  }
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
