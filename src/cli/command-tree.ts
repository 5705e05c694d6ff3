import { admin } from "./commands/admin.ts";
import { audit } from "./commands/audit.ts";
import { completionFor } from "./commands/completion.ts";
import { remove } from "./commands/delete.ts";
import { explain } from "./commands/explain.ts";
import { get } from "./commands/get.ts";
import { importSecrets } from "./commands/import.ts";
import { keys } from "./commands/keys.ts";
import { list } from "./commands/list.ts";
import { login } from "./commands/login.ts";
import { logout } from "./commands/logout.ts";
import { mcp } from "./commands/mcp.ts";
import { push } from "./commands/push.ts";
import { render } from "./commands/render.ts";
import { resolve } from "./commands/resolve.ts";
import { rollback } from "./commands/rollback.ts";
import { run } from "./commands/run.ts";
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
import { type Command, command } from "./define-command.ts";

/** The tree of commands. */
export const ROOT: Command = command({
  description: "Keep secrets in Keyhole, and hand them to the programs that need them",
  examples: ["keyhole login https://keyhole.example", "keyhole set OPENAI_API_KEY --scope namespace:prod", "keyhole run --scope namespace:prod -- npm start"],
  subCommands: {
    login,
    logout,
    status,
    set,
    list,
    get,
    delete: remove,
    undelete,
    versions,
    rollback,
    import: importSecrets,
    push,
    explain,
    resolve,
    run,
    mcp,
    render,
    token,
    trust,
    service,
    store,
    webhook,
    scope,
    audit,
    keys,
    usage,
    admin,
    completion: completionFor(() => ROOT),
  },
});
