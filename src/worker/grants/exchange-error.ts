import { type ExchangeRefusal, RefusalError, type TokenRefusal } from "../access/refusal.ts";

/** An exchange is refused. The reply says no more than this error's code. */
export class ExchangeError extends RefusalError<TokenRefusal | ExchangeRefusal> {
  override readonly name = "ExchangeError";
  /** The trust's condition or template that the token does not fulfil. */
  readonly about: string | null;

  constructor(refusal: TokenRefusal | ExchangeRefusal, { about = null, ...options }: ErrorOptions & { readonly about?: string | null } = {}) {
    super(refusal, options);
    this.about = about;
  }

  /** Whether the workload is not let in, or is and asks for too much. */
  get code(): "subject-refused" | "scope-refused" {
    return this.refusal === "scope-not-given" ? "scope-refused" : "subject-refused";
  }
}
