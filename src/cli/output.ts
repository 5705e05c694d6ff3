import pc from "picocolors";

/** Writes data. */
export function print(text: string | Uint8Array): void {
  process.stdout.write(text);
}

/** Writes a line of data. */
export function printLine(text: string): void {
  print(`${text}\n`);
}

/** Writes data as JSON, for programs. */
export function printJson(data: unknown): void {
  printLine(JSON.stringify(data, null, 2));
}

/** Says something that is no data. */
export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Whether a stream shows colors: a terminal does, unless https://no-color.org says otherwise. */
export function hasColors(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";
}

/** Colors for data, and for the rest. */
export const dataColors = pc.createColors(hasColors(process.stdout));
export const noteColors = pc.createColors(hasColors(process.stderr));

/** Text from elsewhere as a terminal may show it: control characters, which could command the terminal, are spelled out. */
export function clean(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** A line that says how far long work is; on a terminal only, and gone when it ends. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** Takes the progress line away. */
export function endProgress(): void {
  progress("");
}
