import { z } from "zod";

/** `GET /v1/keys`. */
export const keysReplySchema = z.object({ keys: z.array(z.object({ id: z.string(), current: z.boolean(), versions: z.int() })) });
export type KeysReply = z.infer<typeof keysReplySchema>;

/** `POST /v1/keys/rewrap`. */
export const rewrapReplySchema = z.object({ rewrapped: z.int(), remaining: z.int() });
export type RewrapReply = z.infer<typeof rewrapReplySchema>;
