import { admin } from "./commands/admin.ts";
import { audit } from "./commands/audit.ts";
import { completeFor, completion } from "./commands/completion.ts";
import { copy } from "./commands/copy.ts";
import { remove } from "./commands/delete.ts";
import { diff } from "./commands/diff.ts";
import { edit } from "./commands/edit.ts";
import { example } from "./commands/example.ts";
import { explain } from "./commands/explain.ts";
import { generate } from "./commands/generate.ts";
import { get } from "./commands/get.ts";
import { importSecrets } from "./commands/import.ts";
import { init } from "./commands/init.ts";
import { keys } from "./commands/keys.ts";
import { list } from "./commands/list.ts";
import { login } from "./commands/login.ts";
import { logins } from "./commands/logins.ts";
import { logout } from "./commands/logout.ts";
import { mcp } from "./commands/mcp.ts";
import { push } from "./commands/push.ts";
import { render } from "./commands/render.ts";
import { resolve } from "./commands/resolve.ts";
import { rollback } from "./commands/rollback.ts";
import { run } from "./commands/run.ts";
import { scan } from "./commands/scan.ts";
import { scope } from "./commands/scope.ts";
import { service } from "./commands/service.ts";
import { set } from "./commands/set.ts";
import { status } from "./commands/status.ts";
import { store } from "./commands/store.ts";
import { token } from "./commands/token.ts";
import { trust } from "./commands/trust.ts";
import { undelete } from "./commands/undelete.ts";
import { usage } from "./commands/usage.ts";
import { versions } from "./commands/versions.ts";
import { webhook } from "./commands/webhook.ts";
import { what } from "./commands/what.ts";
import { type Command, command } from "./define-command.ts";

type Commands = Readonly<Record<string, Command>>;

/** The tree of commands. */
export const ROOT: Command = command({
  description: "Keep secrets in Keyhole, and hand them to the programs that need them",
  examples: ["keyhole login https://keyhole.example", "keyhole set OPENAI_API_KEY --scope namespace:prod", "keyhole run --scope namespace:prod -- npm start"],
  subCommands: {
    ...grouped("Secrets:", { set, generate, edit, copy, list, get, diff, delete: remove, undelete, versions, rollback, import: importSecrets, push }),
    ...grouped("Use secrets:", { init, example, run, resolve, render, what, explain, scan, mcp }),
    ...grouped("Access:", { login, logout, status, token, trust, logins }),
    ...grouped("Arrange:", { scope, service, store, webhook }),
    ...grouped("Operate:", { audit, keys, usage, admin, completion, complete: completeFor(() => ROOT) }),
  },
});

/** Commands that help lists under one head. */
function grouped(group: string, commands: Commands): Commands {
  return Object.fromEntries(Object.entries(commands).map(([name, one]) => [name, { ...one, group }]));
}
