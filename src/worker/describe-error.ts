/**
 * An error's name and where it was thrown, and those of its causes. Messages are left out, because some quote what they
 * could not parse; but for D1's and KV's, which say what failed and hold no bound parameter.
 */
export function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return { name: typeof error };
  return {
    name: error.name,
    ...(/^(D1_|KV )/.test(error.message) && { message: error.message }),
    at: framesOf(error),
    ...(error.cause !== undefined && { cause: describeError(error.cause) }),
    ...(error instanceof AggregateError && { errors: error.errors.map(describeError) }),
  };
}

/** Where an error was thrown. The stack begins with the message, which may itself hold lines that look like frames. */
function framesOf({ stack = "", message }: Error): string[] {
  const start = stack.indexOf(message);
  // A message that was changed later hides where the first one ends.
  if (start === -1) return [];
  const lines = stack.slice(start + message.length).split("\n");
  return lines
    .filter((line) => /^\s+at .*(?::\d+:\d+|<anonymous>|native)\)?$/.test(line))
    .slice(0, 6)
    .map((line) => line.trim());
}
