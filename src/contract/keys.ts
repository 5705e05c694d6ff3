import * as z from "zod";

/** `GET /v1/keys`. */
export const keysReplySchema = z
  .object({
    keys: z.array(
      z.object({
        id: z.string(),
        current: z.boolean().meta({ description: "Whether new versions go under it." }),
        versions: z.int().meta({ description: "Stored versions under it; at 0 an old key is free to go." }),
        available: z.boolean().meta({ description: "Whether it is in the keyring. If not, its versions cannot be opened." }),
      }),
    ),
  })
  .meta({
    id: "Keys",
    example: {
      keys: [
        { id: "k2", current: true, versions: 40, available: true },
        { id: "k1", current: false, versions: 2, available: true },
      ],
    },
  });
export type KeysReply = z.infer<typeof keysReplySchema>;

/** `POST /v1/keys/rewrap`. */
export const rewrapReplySchema = z
  .object({
    rewrapped: z.int().meta({ description: "Data keys that this call wrapped anew." }),
    remaining: z
      .int()
      .meta({ description: "Versions that are still under another key: older ones, those in quarantine, and those under a key that is not in the keyring." }),
  })
  .meta({ id: "Rewrap", example: { rewrapped: 200, remaining: 61 } });
export type RewrapReply = z.infer<typeof rewrapReplySchema>;
