import { type Place, placeOf } from "../complete.ts";
import { completionScript, SHELLS } from "../completion-script.ts";
import { type Command, command } from "../define-command.ts";
import { clean, print, printLine } from "../output.ts";
import { suggestedValues } from "../suggested-values.ts";

/** `keyhole completion`. */
export const completion = command({
  description: "Print a script that completes commands, options and values in a shell",
  examples: [
    'eval "$(keyhole completion bash)"',
    "keyhole completion zsh > ~/.zfunc/_keyhole",
    "keyhole completion fish > ~/.config/fish/completions/keyhole.fish",
    "keyhole completion powershell | Out-String | Invoke-Expression",
  ],
  common: [],
  args: { shell: { type: "positional", options: SHELLS, description: SHELLS.join(", ") } },
  run: ({ shell }) => print(completionScript(shell as (typeof SHELLS)[number])),
});

/** `keyhole complete`, which the scripts ask, for the tree that it is part of. */
export function completeFor(root: () => Command): Command {
  return command({
    description: "Say what may stand for the last word of a command line; for the scripts of `keyhole completion`",
    hidden: true,
    common: [],
    takesChild: true,
    async run(_, { child }) {
      const place = placeOf(root(), child);
      for (const line of await linesFor(place)) printLine(line);
      printLine(place.asks === "file" ? ":files" : ":");
    },
  });
}

async function linesFor(place: Place): Promise<string[]> {
  const values = (await suggestedValues(place)).filter((word) => IS_PLAIN.test(word)).map((word) => ({ word, about: "" }));
  const fitting = [...place.suggestions, ...values].filter(({ word }) => word.startsWith(place.typed));
  const lines = fitting.map(({ word, about }) => `${place.before}${clean(word)}${about && `\t${about}`}`);
  return [...new Set(lines)];
}

/** What a shell takes for a word, whoever made it up: some put a suggestion into the command line as it is. */
const IS_PLAIN = /^[\w.:/@~-]+$/;
