import type { FuzzedReply } from "../../fuzz/check-reply.ts";
import type { FuzzedRequest } from "../../fuzz/request.ts";
import { UNREAD } from "./send-raw.ts";

/** A body of so many bytes may be refused while it is still on its way. */
const LARGE = 1_000_000;

/**
 * Whether a request may end so without the Worker's doing. The server in front of it refuses too many bytes of address
 * or headers (414, 431) and two lengths (400), without a request id. A large body that nobody reads can cut off its own reply.
 */
export function isUnheard({ method, body, again }: FuzzedRequest, reply: FuzzedReply | undefined): boolean {
  const twoLengths = again?.name === "Content-Length";
  if (!reply) return (body?.bytes.length ?? 0) >= (twoLengths || /^(GET|HEAD)$/.test(method) ? UNREAD : LARGE);
  if (reply.headers["x-request-id"] !== undefined) return false;
  return reply.status === 414 || reply.status === 431 || (reply.status === 400 && twoLengths);
}
