import type { Outcome } from "./run-program.ts";

/**
 * A transcript: `$ ` a command, `< ` a line of standard input, then what it printed on standard output as it is,
 * on standard error after `! `, and its exit code after `? ` when it is not 0. `# ` is a remark.
 */
export interface Step {
  readonly remarks: string;
  readonly command: string;
  readonly stdin: string;
  readonly expected: string;
}

/** The steps of a transcript. */
export function parseTranscript(text: string): Step[] {
  const [, ...parts] = text.split(/^((?:# .*\n)*)\$ /m);
  return parts.flatMap((part, n) => {
    if (n % 2 === 0) return [];
    const [command = "", ...lines] = part.trimEnd().split("\n");
    const stdin = lines.filter((line) => line.startsWith("< ")).map((line) => `${line.slice(2)}\n`);
    const expected = lines.filter((line) => !line.startsWith("< "));
    return [{ remarks: (parts[n - 1] ?? "").trimEnd(), command, stdin: stdin.join(""), expected: expected.join("\n").trimEnd() }];
  });
}

/** What a command did, as a transcript has it. What differs from run to run has a name in capital letters. */
export function writeOutcome({ code, stdout, stderr }: Outcome, names: readonly (readonly [RegExp | string, string])[]): string {
  const lines = [...asLines(stdout), ...asLines(stderr).map((line) => `! ${line}`.trimEnd()), ...(code === 0 ? [] : [`? ${code}`])];
  return names.reduce((text, [pattern, name]) => text.replaceAll(pattern, name), lines.join("\n")).trimEnd();
}

function asLines(text: string): string[] {
  return text === "" ? [] : text.replace(/\n$/, "").split("\n");
}

/** A transcript as a file, for the times when its commands changed. */
export function writeTranscript(steps: readonly Step[], outcomes: readonly string[]): string {
  const parts = steps.map(({ remarks, command, stdin }, n) =>
    [remarks, `$ ${command}`, stdin.replace(/^/gm, "< ").replace(/< $/, "").trimEnd(), outcomes[n] ?? ""].filter((line) => line !== "").join("\n"),
  );
  return `${parts.join("\n\n")}\n`;
}
