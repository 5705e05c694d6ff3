import { randomInt } from "node:crypto";
import { KeyholeError } from "../../client/create-client.ts";
import { CliError, usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { METADATA_ARGS, metadataOf } from "../metadata-args.ts";
import { note, printJson } from "../output.ts";
import { scopeToWrite, WRITE_SCOPE_ARG } from "../scope-args.ts";
import { openSession } from "../session.ts";

const DIGITS = "0123456789";
const LETTERS = "abcdefghijklmnopqrstuvwxyz";
const ALPHABETS = {
  alphanumeric: `${LETTERS.toUpperCase()}${LETTERS}${DIGITS}`,
  base64url: `${LETTERS.toUpperCase()}${LETTERS}${DIGITS}-_`,
  hex: `${DIGITS}abcdef`,
  digits: DIGITS,
};

/** `keyhole generate`. */
export const generate = command({
  description: "Set a secret to a random value that nobody sees",
  examples: ["keyhole generate SESSION_KEY --scope namespace:prod", "keyhole generate PIN --scope namespace:dev --length 8 --alphabet digits --rotate"],
  args: {
    name: { type: "positional", suggests: "secret", description: "the name of the secret" },
    ...WRITE_SCOPE_ARG,
    length: { type: "string", valueHint: "N", default: "43", description: "how many letters, 8 to 1024" },
    alphabet: { type: "enum", options: ["alphanumeric", "base64url", "hex", "digits"], description: "what the letters are [alphanumeric]" },
    rotate: { type: "boolean", description: "give one that is there a new version" },
    ...METADATA_ARGS,
  },
  async run({ name, scope: wanted, length, alphabet = "alphanumeric", rotate, profile, insecure, json, ...given }, { each }) {
    if (!/^\d{1,4}$/.test(length) || Number(length) < 8 || Number(length) > 1024) throw usageError("--length is not a number of letters", "8 to 1024");
    const scope = await scopeToWrite(wanted);
    const { client } = await openSession({ profile, insecure });
    const letters = ALPHABETS[alphabet];
    const value = Array.from({ length: Number(length) }, () => letters[randomInt(letters.length)]).join("");
    const secret = await client.secrets.set(scope, name, value, metadataOf(given, each), rotate ? {} : { ifNoneMatch: "*" }).catch((error: unknown) => {
      if (!(error instanceof KeyholeError && error.code === "version-conflict")) throw error;
      throw new CliError(`there is a secret ${name} in ${scope} already`, "--rotate gives it a new version");
    });
    if (json) printJson(secret);
    else note(`Set ${name} in ${scope} to ${length} random letters, version ${secret.version}.`);
  },
});
