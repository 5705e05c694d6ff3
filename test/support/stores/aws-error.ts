/** An error as AWS writes it. */
export class AwsError extends Error {
  constructor(
    readonly code: string,
    message: string = code,
    readonly status = 400,
  ) {
    super(message);
  }
}
