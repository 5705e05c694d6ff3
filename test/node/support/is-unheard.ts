import type { FuzzedReply } from "../../fuzz/check-reply.ts";
import type { FuzzedRequest } from "../../fuzz/request.ts";

/** A body of so many bytes may be refused while it is still on its way. */
const LARGE = 1_000_000;

/**
 * Whether a request may end so without the Worker's doing. The server in front of it refuses too many bytes of address
 * or headers (414, 431), without a request id. A large body that nobody reads can cut off its own reply.
 */
export function isUnheard({ body }: FuzzedRequest, reply: FuzzedReply | undefined): boolean {
  if (!reply) return (body?.bytes.length ?? 0) >= LARGE;
  return reply.headers["x-request-id"] === undefined && (reply.status === 414 || reply.status === 431);
}
