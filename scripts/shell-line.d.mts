/** A command as one line for the shell of the system. */
export function shellLine(words: readonly string[]): string;
