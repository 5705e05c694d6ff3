import type { ProblemBody, ProblemCode, ProblemMembers } from "../contract/problems.ts";

/**
 * What can be wrong without a problem from Keyhole: no reply came (`unreachable`), what came is not Keyhole's
 * (`unexpected-reply`), or the token exchange was refused (`exchange-refused`; of one's own token, `narrowing-refused`) or cannot be had now (`exchange-unavailable`).
 */
export type ClientErrorCode = "unreachable" | "unexpected-reply" | "exchange-refused" | "narrowing-refused" | "exchange-unavailable";

/** What is known of an error beside its code. */
export interface KeyholeErrorOptions {
  status?: number | undefined;
  title?: string | undefined;
  requestId?: string | undefined;
  /** Seconds. */
  retryAfter?: number | undefined;
  members?: ProblemMembers | undefined;
  cause?: unknown;
}

/**
 * The one error that the client throws, beside the `AbortError` of a signal that was aborted. `code` is stable:
 * one of Keyhole's problem codes, or a {@link ClientErrorCode}. It never holds a value or a token.
 */
export class KeyholeError extends Error {
  readonly code: ProblemCode | ClientErrorCode;
  /** The reply's status, where one came. */
  readonly status: number | undefined;
  /** The problem's title, RFC 9457, section 3.1.3. */
  readonly title: string | undefined;
  /** What the service's log and audit log call the request. */
  readonly requestId: string | undefined;
  /** The seconds after which the service wants to be asked again. */
  readonly retryAfter: number | undefined;
  /** What is wrong with each part of the request, what is missing or expired, and what was searched. */
  readonly members: ProblemMembers;

  constructor(code: ProblemCode | ClientErrorCode, message: string, options: KeyholeErrorOptions = {}) {
    super(message, { cause: options.cause });
    this.name = "KeyholeError";
    this.code = code;
    this.status = options.status;
    this.title = options.title;
    this.requestId = options.requestId;
    this.retryAfter = options.retryAfter;
    this.members = options.members ?? {};
  }
}

/** The error that a problem reply stands for. */
export function fromProblem(problem: ProblemBody, retryAfter: number | undefined): KeyholeError {
  const { code, title, status, detail, request_id: requestId, errors, missing, locked, expired, unavailable, searched } = problem;
  const members = {
    ...(errors && { errors }),
    ...(missing && { missing }),
    ...(locked && { locked }),
    ...(expired && { expired }),
    ...(unavailable && { unavailable }),
    ...(searched && { searched }),
  };
  return new KeyholeError(code, detail, { status, title, requestId, retryAfter, members });
}
