import type { Context } from "hono";
import type * as z from "zod";
import { DELETED_UNTIL_HEADER } from "../../../contract/deleted-until.ts";
import type { purgeQuerySchema } from "../../../contract/secret.ts";
import { formatTime } from "../../../contract/time.ts";
import type { Caller } from "../../access/caller.ts";
import { deleteThere } from "../../scope-stores/delete-there.ts";
import { whereItIs } from "../../scope-stores/where-it-is.ts";
import { deleteSecret, purgeSecret } from "../../secrets/delete-secret.ts";
import type { SecretSelector } from "../../secrets/secret-selector.ts";
import type { DeletionNeeds } from "../../transaction/deletion-of.ts";
import type { HonoEnv } from "../hono-env.ts";
import { placeNeedsOf } from "../needs-of.ts";
import { precondition } from "../parse/parse-precondition.ts";

/** Deletes a secret, and says until when it can come back, unless it is gone for good. */
export async function deletedReply(
  c: Context<HonoEnv>,
  needs: DeletionNeeds,
  caller: Caller,
  selector: SecretSelector,
  { purge }: z.output<typeof purgeQuerySchema>,
): Promise<Response> {
  if (purge === "true") await purgeSecret(needs, caller, selector, precondition(c.req));
  else {
    const until = await whereItIs(
      () => deleteSecret(needs, caller, selector, precondition(c.req)),
      () => deleteThere(placeNeedsOf(c), caller, selector, precondition(c.req)),
    );
    if (needs.recoveryDays > 0) c.header(DELETED_UNTIL_HEADER, `"${formatTime(until)}"`);
  }
  return c.body(null, 204);
}
