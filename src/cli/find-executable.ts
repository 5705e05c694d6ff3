import { accessSync, closeSync, constants, openSync, readSync, statSync } from "node:fs";
import { resolve } from "node:path";

/**
 * The file that a command names, if the system will surely run it in place of this process: looked for in `PATH` where it has
 * no `/`, may be executed, and is a program for this machine whose loader is there, or a script with such an interpreter.
 * `undefined` also where nothing is certain: Node aborts when the system refuses.
 */
export function findExecutable(file: string, path: string | undefined): string | undefined {
  const places = file.includes("/") ? [file] : (path?.split(":").map((folder) => `${folder || "."}/${file}`) ?? []);
  const found = places.find(mayExecute);
  return found !== undefined && willRun(found) ? resolve(found) : undefined;
}

function mayExecute(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function willRun(path: string): boolean {
  const head = readHead(path);
  const script = /^#![ \t]*(\/[^\s\0]+)[ \t\r]*/.exec(head.toString("latin1"));
  return script?.[1] === undefined ? isProgram(head) : !script[0].includes("\r") && mayExecute(script[1]) && isProgram(readHead(script[1]));
}

/** Enough for the headers, and for the names of loaders, which linkers put right after them. */
const HEAD = 4096;

function readHead(path: string): Buffer {
  const head = Buffer.alloc(HEAD);
  try {
    const file = openSync(path, "r");
    try {
      return head.subarray(0, readSync(file, head));
    } finally {
      closeSync(file);
    }
  } catch {
    // What may be executed and not read is left to the system.
    return Buffer.alloc(0);
  }
}

/** Class, byte order, ABI and machine of an ELF file; see elf(5). */
function kindOf(head: Buffer): string {
  return head.toString("latin1", 0, 6) + head.toString("latin1", 18, 20);
}

/** Whether it is an ELF program of the kind that Node's own is, 64 bits and little-endian, with a loader that is there. */
function isProgram(head: Buffer): boolean {
  if (head.length < 64 || !head.subarray(0, 6).equals(Buffer.from("\x7fELF\x02\x01", "latin1")) || kindOf(head) !== kindOf(readHead(process.execPath)))
    return false;
  const [start, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
  const loaders: string[] = [];
  for (let at = start; at < start + size * count; at += size) {
    if (size < 56 || at + size > head.length) return false;
    if (head.readUInt32LE(at) !== PT_INTERP) continue;
    const [offset, length] = [Number(head.readBigUInt64LE(at + 8)), Number(head.readBigUInt64LE(at + 32))];
    if (offset + length > head.length) return false;
    loaders.push(head.toString("utf8", offset, offset + length - 1));
  }
  return loaders.every(mayExecute);
}

const PT_INTERP = 3;
