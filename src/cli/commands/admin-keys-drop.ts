import { dropKey } from "../../keys-file/drop-key.ts";
import { command } from "../define-command.ts";
import { FILE, put, putAndReport } from "../keys-file-command.ts";
import { requireUnused } from "../require-unused.ts";

/** `keyhole admin keys drop`. */
export const drop = command({
  description: "Take an old key out of KEYRING; the deployment is asked first whether anything is under it",
  examples: ["keyhole admin keys drop k_gZl2Xb0QdCw8VJ1n --file ~/keyhole.secrets"],
  args: {
    id: { type: "positional", description: "the id of the key" },
    ...FILE,
    "assume-unused": { type: "boolean", description: "you know that nothing is under the key: the deployment is not asked, and what is under it is lost" },
  },
  run: ({ id, profile, "assume-unused": assumed, ...args }) =>
    putAndReport(
      args,
      async (secrets) => {
        const change = dropKey(secrets, id);
        if (!assumed) await requireUnused({ profile, id, secrets });
        return change;
      },
      () => [`${id} is gone once the Worker knows (${put(args.file)}).`],
    ),
});
