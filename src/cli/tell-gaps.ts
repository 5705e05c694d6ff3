import * as z from "zod";
import type { LeftOutReason } from "../contract/left-out.ts";
import { CliError } from "./cli-error.ts";
import { tellEmptyScopes } from "./empty-scopes.ts";
import { EXIT } from "./exit-code.ts";
import type { Session } from "./session.ts";
import { refuseLeftOut, warnLeftOut } from "./warn-left-out.ts";

/** What an answer is without, as it is kept beside it. */
export const gapsSchema = z.object({
  /** Scopes that were searched, and that nobody has declared or used. */
  emptyScopes: z.array(z.string()).readonly(),
  /** Of very many names the first, and how many `more` there are. A newer service may have other reasons. */
  leftOut: z.array(z.object({ name: z.string(), reason: z.custom<LeftOutReason>((reason) => typeof reason === "string") })).readonly(),
  more: z.number(),
});
export type Gaps = z.output<typeof gapsSchema>;

/**
 * Says what an answer is without.
 *
 * @param asked Where a scope that is spelled alike is looked for, if it is.
 * @throws {CliError} in place of a warning, when it is `strict`; then also where it is not known what is missing.
 */
export async function tellGaps(gaps: Gaps | undefined, strict: boolean, asked?: Pick<Session, "client" | "held">): Promise<void> {
  if (gaps === undefined) {
    if (!strict) return;
    throw new CliError("it is not known whether something is left out of the answer that is kept", "the next answer replaces it", EXIT.incomplete);
  }
  if (gaps.emptyScopes.length > 0) await tellEmptyScopes(asked, gaps.emptyScopes, strict);
  (strict ? refuseLeftOut : warnLeftOut)(gaps.leftOut, gaps.more);
}
