import pc from "picocolors";

/** Writes data. */
export function print(text: string | Uint8Array): void {
  process.stdout.write(text);
}

/** Writes a line of data. */
export function printLine(text: string): void {
  print(`${text}\n`);
}

/** Writes data as JSON, for programs: indented, or on one line. */
export function printJson(data: unknown, space: 0 | 2 = 2): void {
  printLine(asJson(data, space));
}

/** Says something that is no data as a line of JSON, for programs. */
export function noteJson(data: unknown): void {
  process.stderr.write(`${asJson(data, 0)}\n`);
}

function asJson(data: unknown, space: 0 | 2): string {
  return JSON.stringify(data, null, space).replace(UNSHOWN, escapeJson);
}

/** Says a line that is no data. What of it comes from elsewhere cannot command the terminal, and makes no line of its own. */
export function note(text: string): void {
  process.stderr.write(`${clean(text)}\n`);
}

/** Says what went wrong, where there are several places each of them, and what to do about it. */
export function noteError(message: string, hint: string, places: readonly string[] = []): void {
  const listed = places.map((place) => `  ${clean(place)}\n`).join("");
  process.stderr.write(`${noteColors.red("error:")} ${clean(message)}\n${listed}${noteColors.dim("hint:")} ${clean(hint)}\n`);
}

/** Whether a stream shows colors: a terminal does, unless https://no-color.org says otherwise. */
export function hasColors(stream: { isTTY?: boolean }): boolean {
  return stream.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== "dumb";
}

/** Colors for data, and for the rest. */
export const dataColors = pc.createColors(hasColors(process.stdout));
const noteColors = pc.createColors(hasColors(process.stderr));

/** What a terminal does not show as it is: control characters, also those of C1, what turns the direction of writing, and what ends a line. */
const UNSHOWN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** Text from elsewhere as a terminal may show it: what could command the terminal, or make a line read as another, is spelled out. */
export function clean(text: string): string {
  return text.replace(UNSHOWN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** The same in JSON, where it means the same: the line ends between members stay. */
function escapeJson(character: string): string {
  if (character === "\n") return character;
  return character.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** A line that says how far long work is; on a terminal only, and gone when it ends. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

/** Takes the progress line away. */
export function endProgress(): void {
  progress("");
}
