import type { MadeWebhook } from "../../client/create-client.ts";
import { TakeAlong } from "./take-along.tsx";

/** The secret that a webhook was just given, if it was. */
export function WebhookSecret({ of: made }: { of: MadeWebhook | undefined }) {
  if (made?.secret === undefined) return null;
  const { name, revision, secret } = made;
  return (
    <TakeAlong key={revision} what={`${name} has a secret, by which its receiver knows that messages are Keyhole's.`} file={`${name}.whsec`} text={secret} />
  );
}
