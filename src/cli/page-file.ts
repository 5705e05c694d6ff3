import { closeSync, createReadStream, fstatSync, fsyncSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { createInterface } from "node:readline";
import type { BackupPage } from "../client/create-client.ts";
import { backupPageSchema, MAX_PAGE_BYTES } from "../contract/backup.ts";
import { CliError } from "./cli-error.ts";

/** A file of pages, one a line, that is written. */
export interface PageFile {
  /** The last page that is in it; `undefined` for none. */
  readonly last: BackupPage | undefined;
  append(page: BackupPage): void;
  /** Has it on the disk. */
  close(): void;
}

/** How each line begins. */
const BEGINNING = '{"jws":"';

/** Opens a file of pages to go on with, or makes it; only its owner may read it. What of a line is at its end goes. What is no such file stays as it is. */
export function openPageFile(path: string): PageFile {
  const file = openSync(path, "a+", 0o600);
  try {
    const { last, end } = readEnd(path, file);
    ftruncateSync(file, end);
    return writer(file, last);
  } catch (error) {
    closeSync(file);
    throw error;
  }
}

/** The last page of a file, and where it ends. What is no backup is refused: nothing of it may go. */
function readEnd(path: string, file: number): { readonly last: BackupPage | undefined; readonly end: number } {
  const { size } = fstatSync(file);
  const from = Math.max(0, size - 2 * MAX_PAGE_BYTES);
  const [head, tail] = [Buffer.alloc(Math.min(size, BEGINNING.length)), Buffer.alloc(size - from)];
  readSync(file, head, 0, head.length, 0);
  readSync(file, tail, 0, tail.length, from);
  const end = tail.lastIndexOf("\n") + 1;
  const cut = tail.subarray(end, end + BEGINNING.length);
  if ((end === 0 && from > 0) || ![head, cut].every((text) => BEGINNING.startsWith(text.toString("latin1")))) throw noBackup(path);
  if (end === 0) return { last: undefined, end: 0 };
  return { last: parsePage(path, tail.subarray(end === 1 ? 0 : tail.lastIndexOf("\n", end - 2) + 1, end).toString("utf8")), end: from + end };
}

function writer(file: number, last: BackupPage | undefined): PageFile {
  return {
    last,
    append: (page) => void writeSync(file, lineOf(page)),
    close() {
      fsyncSync(file);
      closeSync(file);
    },
  };
}

/** A page as a line. */
export function lineOf({ jws, rows }: BackupPage): string {
  return `${JSON.stringify({ jws, rows })}\n`;
}

/** The pages of a file, one after the other. */
export async function* readPages(path: string): AsyncGenerator<BackupPage> {
  for await (const line of createInterface({ input: createReadStream(path, "utf8"), crlfDelay: Number.POSITIVE_INFINITY })) yield parsePage(path, line);
}

function parsePage(path: string, line: string): BackupPage {
  try {
    return backupPageSchema.parse(JSON.parse(line));
  } catch {
    throw noBackup(path);
  }
}

function noBackup(path: string): CliError {
  return new CliError(
    `${path} has a line that is no page of a backup`,
    "a backup that broke off in the middle of a line goes on with: keyhole admin backup --file",
  );
}
