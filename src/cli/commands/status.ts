import { command } from "../define-command.ts";
import { statusHere } from "../local/status-here.ts";
import { note, printJson, printLine } from "../output.ts";
import { printFields, printTable } from "../print-table.ts";
import { readProfiles } from "../profiles.ts";
import { relativeTime } from "../relative-time.ts";
import { openSession } from "../session.ts";

/** `keyhole status`. */
export const status = command({
  description: "Show the deployment, what the token is and may do, and the saved profiles",
  examples: ["keyhole status", "keyhole status --profile staging --json", "keyhole status --local"],
  aliases: ["whoami"],
  local: [],
  async run({ profile, insecure, json }, { local }) {
    if (local) return statusHere(json);
    const { default: usual, profiles } = readProfiles();
    const session = await openSession({ profile, insecure });
    if (!json) note(`${session.url} (${session.source})`);
    const caller = await session.client.whoami();
    if (json) return printJson({ url: session.url, source: session.source, ...caller, profiles: Object.keys(profiles), default_profile: usual ?? null });
    printFields([
      ["organization", caller.org],
      ["subject", caller.sub],
      ["permissions", caller.permissions.join(" ") || "none"],
      ["scopes", caller.secret_scopes?.join(" ") ?? "all"],
      ["names", caller.secret_names?.join(" ") ?? "all"],
      ["services", caller.services?.join(" ") ?? "all"],
      ["expires", relativeTime(caller.expires_at)],
      ...(caller.lease_seconds > 0 ? [["leases", `${caller.lease_seconds} seconds`] as const] : []),
    ]);
    if (Object.keys(profiles).length === 0) return;
    printLine("");
    printTable(
      ["PROFILE", "ADDRESS", "TOKEN IN", ""],
      Object.entries(profiles).map(([name, { url, token }]) => [name, url, token, name === usual ? "default" : ""]),
      "",
    );
  },
});
