import { CliError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { EXIT } from "../exit-code.ts";
import { parseDuration } from "../parse-duration.ts";
import { relayMcp } from "../relay-mcp.ts";
import { openSession } from "../session.ts";
import { withNarrowToken } from "../with-narrow-token.ts";

/** What the tools need. */
const PERMISSIONS = ["secrets:read", "secrets:use"] as const;

/** `keyhole mcp`. */
export const mcp = command({
  description: "Serve the Model Context Protocol on standard input and output: agents see names and use services, and get no value",
  examples: ["keyhole mcp", "keyhole mcp --use github,stripe"],
  common: ["profile", "insecure"],
  args: {
    use: {
      type: "string",
      valueHint: "SERVICES",
      repeatable: true,
      suggests: "service",
      description: "only these services, separated by commas [all that you may use]",
    },
    for: { type: "string", valueHint: "DURATION", default: "12h", description: "how long its token lives; it is revoked at the end" },
  },
  async run({ profile, insecure, use, for: lasts }, { all }) {
    const expires_in = parseDuration("--for", lasts);
    const session = await openSession({ profile, insecure });
    const own = new Set<string>((await session.client.whoami()).permissions);
    const permissions = PERMISSIONS.filter((permission) => own.has(permission));
    if (permissions.length === 0)
      throw new CliError("the token has neither secrets:read nor secrets:use", "use one that may see names or use services", EXIT.refused);
    const narrowed = { permissions, expires_in, ...(use !== undefined && { services: all("use") }) };
    await withNarrowToken(session, narrowed, (url, token) => relayMcp(url, token, process.stdin));
  },
});
