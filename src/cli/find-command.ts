import { usageError } from "./cli-error.ts";
import type { Command } from "./define-command.ts";
import { editDistance } from "./edit-distance.ts";

/** A command of the tree, the words that lead to it, and what is left for it. */
export interface Found {
  readonly command: Command;
  readonly words: readonly string[];
  readonly rest: readonly string[];
}

/** Follows the words of a command line down the tree. */
export function findCommand(root: Command, args: readonly string[], words: readonly string[] = []): Found {
  const { subCommands, run } = root.definition;
  const [first, ...rest] = args;
  const next = first === undefined ? undefined : subCommands?.[first];
  if (first !== undefined && next && Object.hasOwn(subCommands ?? {}, first)) return findCommand(next, rest, [...words, first]);
  const isWord = first !== undefined && !first.startsWith("-");
  if (subCommands && isWord && (!run || words.length === 0)) throw unknownCommand(first, Object.keys(subCommands), words);
  return { command: root, words, rest: args };
}

function unknownCommand(word: string, known: readonly string[], words: readonly string[]) {
  const near = known.find((name) => name.startsWith(word) || word.startsWith(name) || editDistance(name, word) <= Math.max(1, Math.floor(name.length / 3)));
  const path = ["keyhole", ...words].join(" ");
  return usageError(`there is no command ${path} ${word}`, near ? `did you mean \`${path} ${near}\`?` : `\`${path} --help\` lists the commands`);
}
