import { CliError } from "../cli-error.ts";
import { EXIT } from "../exit-code.ts";
import { note } from "../output.ts";
import { forgetKept } from "./keep-value.ts";
import type { LocalPlace } from "./local-place.ts";
import { changeStore, type LocalSecret } from "./store-file.ts";

/**
 * Deletes a secret for good, if it still is the one that was found.
 *
 * @throws {CliError} when its value cannot be taken out of the keychain; it is still there then, unless the keychain is not to be
 *   used. When it has a new value by now.
 */
export async function deleteLocal({ path, keychain, only }: LocalPlace, secret: LocalSecret): Promise<void> {
  const forgotten = await forgetKept(keychain, secret);
  if (!forgotten && only !== "file")
    throw new CliError(
      `${secret.name} is in the keychain, which is locked or cannot be reached`,
      "unlock it, or run this where you are logged in; with KEYHOLE_LOCAL_STORE=file it is only forgotten here",
      EXIT.unavailable,
    );
  if (!forgotten) note(`warning: the value of ${secret.name} is still in the keychain`);
  let found = false;
  await changeStore(path, (there) => {
    const left = there.secrets.filter((one) => !isSame(one, secret));
    found = left.length < there.secrets.length;
    return { ...there, secrets: left };
  });
  if (!found) throw new CliError(`${secret.name} was changed or deleted by somebody else meanwhile`, "`keyhole list --local` shows what there is");
}

function isSame(a: LocalSecret, b: LocalSecret): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
