import { parseArgs } from "node:util";
import { KeyringError } from "../src/worker/envelope/keyring.ts";
import { rewrapRoot, rotateKeyring } from "./change-keyring.ts";
import { makeSecrets, secretLines, type WorkerSecrets } from "./make-secrets.ts";
import { fail, readSecret } from "./settings.ts";

const HELP = `Prints the Worker secrets to put, each as NAME='value'. It changes nothing by itself.

  npm run -s keys -- init          a new ROOT_KEY, KEYRING and SIGNING_KEY
  npm run -s keys -- rotate        KEYRING with a new current key; the old keys stay in it
  npm run -s keys -- rewrap-root   a new ROOT_KEY, and the same keys in KEYRING under it

rotate and rewrap-root read ROOT_KEY and KEYRING from the environment or .dev.vars.

What is printed is secret. Send it to a file that only you can read:

  (umask 077; npm run -s keys -- init > ~/keyhole.secrets)
  npx wrangler secret bulk ~/keyhole.secrets    puts all of them on the deployed Worker, in one go
  npx wrangler secret put KEYRING               asks for one: paste what is between the quotes

On this machine, replace the lines of the same names in .dev.vars.
`;

const COMMANDS: Record<string, () => Promise<Partial<WorkerSecrets>>> = {
  init: makeSecrets,
  rotate: async () => ({ KEYRING: await rotateKeyring(readSecret("ROOT_KEY"), readSecret("KEYRING")) }),
  "rewrap-root": () => rewrapRoot(readSecret("ROOT_KEY"), readSecret("KEYRING")),
};

const { command, help } = readArguments();
if (help) console.log(HELP);
else console.log(secretLines(await run(command)));

function readArguments(): { command: string | undefined; help: boolean } {
  try {
    const { values, positionals } = parseArgs({ allowPositionals: true, options: { help: { type: "boolean", short: "h", default: false } } });
    if (positionals.length > 1) fail("one command at a time", "npm run -s keys -- --help");
    return { command: positionals[0], help: values.help };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error), "npm run -s keys -- --help");
  }
}

async function run(name = ""): Promise<Partial<WorkerSecrets>> {
  const make = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!make) return fail(name === "" ? "no command is given" : `${name} is not a command`, `one of: ${Object.keys(COMMANDS).join(" ")}`);
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof KeyringError)) throw error;
    return fail(error.message, "set ROOT_KEY and KEYRING in the environment, both of the same Worker, or have them in .dev.vars");
  }
}
