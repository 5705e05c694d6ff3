import * as z from "zod";

/** `GET /v1/keys`. */
export const keysReplySchema = z
  .object({
    counted: z
      .enum(["deployment", "organization"])
      .meta({ description: "Of what the numbers are: the whole deployment for its operator, else the organization." }),
    keys: z.array(
      z.object({
        id: z.string(),
        current: z.boolean().meta({ description: "Whether new versions go under it." }),
        versions: z.int().meta({ description: "Stored versions under it." }),
        archives: z.int().meta({ description: "Archived parts of audit logs under it." }),
        seals: z.int().meta({ description: "Rows whose seal is made with it: secrets, links of scopes, trusts, services, stores, tokens and revocations." }),
        tokens: z.int().meta({ description: "How many of these are tokens that are kept." }),
        available: z
          .boolean()
          .meta({ description: "Whether it is in the keyring, and is the one that its versions are under. If not, they cannot be opened." }),
      }),
    ),
  })
  .meta({
    id: "Keys",
    example: {
      counted: "deployment",
      keys: [
        { id: "k_gZl2Xb0QdCw8VJ1n", current: true, versions: 40, archives: 3, seals: 61, tokens: 9, available: true },
        { id: "k_0pVbS6uQzL3mXr9T", current: false, versions: 2, archives: 0, seals: 0, tokens: 0, available: true },
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
      .meta({ description: "Data keys that are still under another key: older ones, those in quarantine, and those under a key that is not in the keyring." }),
  })
  .meta({ id: "Rewrap", example: { rewrapped: 200, remaining: 61 } });
export type RewrapReply = z.infer<typeof rewrapReplySchema>;
