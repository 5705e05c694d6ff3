import { command } from "../define-command.ts";
import { endProgress, note, print, printJson, progress } from "../output.ts";
import { lineOf, openPageFile } from "../page-file.ts";
import { openSession } from "../session.ts";

/** `keyhole admin backup`. */
export const adminBackup = command({
  description: "Back up the whole deployment: all organizations, with ciphertexts that stay sealed, and no key; one page a line",
  examples: ["keyhole admin backup > keyhole.backup", "keyhole admin backup --file keyhole.backup"],
  args: { file: { type: "string", valueHint: "FILE", description: "write to this file, and go on with one that broke off" } },
  async run({ profile, insecure, json, file }) {
    const { client } = await openSession({ profile, insecure });
    const pages = file === undefined ? undefined : openPageFile(file);
    let number = 0;
    try {
      let { page, ...taken } = await client.backup.take(pages?.last?.jws);
      // Of one that is whole already there is no page after the last one.
      for (; page !== null; { page, ...taken } = await client.backup.take(page.jws)) {
        ({ number } = taken);
        if (pages) pages.append(page);
        else print(lineOf(page));
        progress(`page ${number}`);
      }
    } finally {
      pages?.close();
      endProgress();
    }
    if (json && file !== undefined) printJson({ pages: number, file });
    else note(number === 0 ? `${file} is whole.` : `${number} pages. It can be restored only with the keys of this deployment: keep those elsewhere.`);
  },
});
