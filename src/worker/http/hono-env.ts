import type { ProblemCode } from "../../contract/problem.ts";
import type { Caller } from "../access/caller.ts";
import type { Refusal } from "../access/refusal.ts";
import type { Config, Env } from "../config.ts";
import type { Attempt } from "../transaction/record-denial.ts";
import type { AddressedUse } from "./use/addressed-use.ts";

/** What Hono's context carries through a request. It is read with `c.get`: `c.var` makes a copy of all of it each time. */
export interface HonoEnv {
  Bindings: Env;
  Variables: {
    config: Config;
    caller: Caller;
    /** The token that the caller came with, on fronts that show it to its holder. */
    token: string;
    /** What is asked of a service, on the front of services. */
    use: AddressedUse;
    requestId: string;
    now: Date;
    /** What the call tries to do, for the audit event of a refusal. */
    attempt: Attempt;
    /** The code of the problem that is the reply, for the log. */
    problem: ProblemCode;
    /** Why the caller was not let in, for the log. */
    refusal: Refusal;
  };
}
