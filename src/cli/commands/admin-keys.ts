import { addKey } from "../../keys-file/add-key.ts";
import { initSecrets } from "../../keys-file/init-secrets.ts";
import { promoteKey } from "../../keys-file/promote-key.ts";
import { retireKey } from "../../keys-file/retire-key.ts";
import { rewrapRoot } from "../../keys-file/rewrap-root.ts";
import { rotateOidc } from "../../keys-file/rotate-oidc.ts";
import { rotateSigning } from "../../keys-file/rotate-signing.ts";
import { secretLines } from "../../keys-file/worker-secrets.ts";
import { usageError } from "../cli-error.ts";
import { command } from "../define-command.ts";
import { FILE, LOG, put, putAndReport, signingName } from "../keys-file-command.ts";
import { print } from "../output.ts";
import { drop } from "./admin-keys-drop.ts";

const init = command({
  description: "Make the keys of a new deployment: ROOT_KEY, KEYRING, SIGNING_KEY, LOG_KEY and OIDC_KEY; without --file they are printed",
  examples: ["keyhole admin keys init --file ~/keyhole.secrets"],
  common: ["json"],
  args: FILE,
  async run({ file, json }) {
    if (file === undefined) return print(secretLines((await initSecrets({})).secrets));
    await putAndReport({ file, json }, initSecrets, () => [
      `Made the keys in ${file}. Keep a copy of it where only you can read it: without it the data cannot be opened.`,
    ]);
  },
});

const add = command({
  description: "Add a new key to KEYRING, and print its id; it is not the current one yet",
  examples: ["keyhole admin keys add --file ~/keyhole.secrets"],
  common: ["json"],
  args: FILE,
  run: (args) =>
    putAndReport(args, addKey, ({ id }) => [
      `Added the key ${id}.`,
      `Once the Worker has it (${put(args.file)}), wait ten minutes, look at /readyz, and then: keyhole admin keys promote --file ${args.file}`,
    ]),
});

const promote = command({
  description: "Make the newest key of KEYRING the current one, and print the id of the one that was; ten minutes after the Worker got it",
  examples: ["keyhole admin keys promote --file ~/keyhole.secrets"],
  common: ["json"],
  args: FILE,
  run: (args) =>
    putAndReport(args, promoteKey, ({ id, before }) => [
      `${id} is the current key, in place of ${before}. Until the Worker has it (${put(args.file)}), nothing changes.`,
      "Only where every isolate has the key for ten minutes: one that does not answers 503 to what is under it.",
      `When \`keyhole keys\` shows nothing under the old one: keyhole admin keys drop ${before} --file ${args.file}`,
    ]),
});

const rewrap = command({
  description: "Put the keys of KEYRING under a new ROOT_KEY; they stay the same, and no data changes",
  examples: ["keyhole admin keys rewrap-root --file ~/keyhole.secrets"],
  common: ["json"],
  args: FILE,
  run: (args) =>
    putAndReport(args, rewrapRoot, () => [
      `The keys are under a new ROOT_KEY. Put both on the Worker in one go, or it cannot open its keyring: ${put(args.file)}`,
    ]),
});

const rotate = command({
  description: "Put a new key before those of SIGNING_KEY, and print the id of the one that signed; the old ones still verify",
  examples: ["keyhole admin keys rotate-signing --file ~/keyhole.secrets", "keyhole admin keys rotate-signing --log --file ~/keyhole.secrets"],
  common: ["json"],
  args: { ...FILE, ...LOG },
  run: (args) =>
    putAndReport(
      args,
      (secrets) => rotateSigning(secrets, signingName(args)),
      ({ kid, before }) => [
        `${kid} signs once the Worker has it (${put(args.file)}).`,
        before === undefined
          ? "The keys of tokens are retired in LOG_KEY: they verify what they signed of the log, and nothing else that they sign counts there."
          : `When nothing that ${before} signed is needed any more: keyhole admin keys retire ${before}${args.log ? " --log" : ""} --file ${args.file}`,
      ],
    ),
});

const rotateStores = command({
  description:
    "Replace OIDC_KEY, by which Keyhole shows who it is to stores that have no credentials here, in two steps, ten minutes apart; or make the first one",
  examples: ["keyhole admin keys rotate-oidc --file ~/keyhole.secrets"],
  common: ["json"],
  args: { ...FILE, now: { type: "boolean", description: "the key was stolen: a new one signs at once, and nothing is left of any other" } },
  run: (args) =>
    putAndReport(
      args,
      async (secrets) => {
        const { signs, waits, ...rest } = await rotateOidc(secrets, args.now === true);
        return { ...rest, kid: waits ?? signs, waits: waits !== undefined };
      },
      ({ kid, before, waits }) => {
        if (waits)
          return [
            `${kid} is published once the Worker has it (${put(args.file)}), and does not sign yet.`,
            `Ten minutes after that: keyhole admin keys rotate-oidc --file ${args.file}`,
          ];
        const signs = `${kid} signs once the Worker has it (${put(args.file)}). The address of the deployment has to be in its var PUBLIC_URL.`;
        if (before === undefined) return [signs];
        if (args.now)
          return [
            signs,
            `Nothing is left of ${before}. A cloud that has read the keys of before refuses Keyhole until it reads them anew, and takes what ${before} signed until then.`,
          ];
        return [signs, `Of ${before} the public half stays until the next rotation: what it signed is good for five minutes.`];
      },
    ),
});

const retire = command({
  description: "Leave of a signing key its public half: it verifies what was said about the log, and no token any more",
  examples: ["keyhole admin keys retire kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k --file ~/keyhole.secrets"],
  common: ["json"],
  args: { kid: { type: "positional", description: "the id of the key" }, ...FILE, ...LOG },
  run: (args) =>
    putAndReport(
      args,
      (secrets) => retireKey(secrets, signingName(args), args.kid),
      () => [`${args.kid} is retired once the Worker knows (${put(args.file)}).`],
    ),
});

const formerRotate = command({
  description: "What add and promote do now, with ten minutes between them",
  hidden: true,
  args: FILE,
  run() {
    throw usageError(
      "there is no rotate any more: a new key has to be everywhere before anything is put under it",
      "add, and ten minutes after the Worker got it, promote",
    );
  },
});

/** `keyhole admin keys`. */
export const adminKeys = command({
  description: "Change the keys in a file of Worker secrets, in place; the file of before stays beside it as FILE.previous",
  subCommands: { init, add, promote, "rewrap-root": rewrap, "rotate-signing": rotate, "rotate-oidc": rotateStores, retire, drop, rotate: formerRotate },
});
