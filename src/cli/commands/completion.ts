import { usageError } from "../cli-error.ts";
import { completionScript } from "../completion-script.ts";
import { type Command, command } from "../define-command.ts";
import { print } from "../output.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;

/** `keyhole completion`, for the tree that it is part of. */
export function completionFor(root: () => Command): Command {
  return command({
    description: "Print a script that completes commands and options in a shell",
    examples: [
      'eval "$(keyhole completion bash)"',
      "keyhole completion zsh > ~/.zfunc/_keyhole",
      "keyhole completion fish > ~/.config/fish/completions/keyhole.fish",
    ],
    common: [],
    args: { shell: { type: "positional", description: "bash, zsh or fish" } },
    run({ shell }) {
      const known = SHELLS.find((one) => one === shell);
      if (!known) throw usageError("there is no completion for that shell", `one of: ${SHELLS.join(", ")}`);
      print(completionScript(known, root()));
    },
  });
}
