import { type LoginRefusal, RefusalError } from "../access/refusal.ts";

/** Somebody is not logged in. The page says no more than that. */
export class LoginError extends RefusalError<LoginRefusal> {
  override readonly name = "LoginError";
}
