import * as z from "zod";

const rowSchema = z.object({
  table: z.string(),
  org: z.string(),
  columns: z
    .record(z.string(), z.union([z.string(), z.number(), z.null()]))
    .meta({ description: "What decides in the row, as it is stored now. A value that is still plaintext is not shown; the digest covers it." }),
  broken: z.boolean().meta({ description: "Whether the row has a seal that is not its own. Otherwise it has none." }),
});

/** `GET /v1/seals`. */
export const unsealedReplySchema = z
  .object({
    rows: z.array(rowSchema),
    digest: z.string().meta({ description: "Names exactly these rows: what is sealed is what it was made of, or nothing." }),
    more: z.boolean().meta({ description: "Whether there are others beside these; seal these first." }),
  })
  .meta({
    id: "UnsealedRows",
    example: {
      rows: [
        {
          table: "trusts",
          org: "acme",
          columns: {
            org: "acme",
            name: "github",
            issuer: "https://token.actions.githubusercontent.com",
            audience: "keyhole",
            permissions: '["secrets:resolve"]',
          },
          broken: false,
        },
      ],
      digest: "Wn0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c3d4e5f6a7b8",
      more: false,
    },
  });
export type UnsealedReply = z.infer<typeof unsealedReplySchema>;

/** `POST /v1/seals`. */
export const sealRowsSchema = z
  .strictObject({ digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/, { error: "the digest that GET /v1/seals gave" }) })
  .meta({ id: "SealRows", example: { digest: "Wn0c2b7a9d3e4f5a8b6c7d8e9f0a1b2c3d4e5f6a7b8" } });
export const sealedReplySchema = z
  .object({ sealed: z.int().meta({ description: "Rows that were sealed." }), more: z.boolean().meta({ description: "Whether others wait." }) })
  .meta({ id: "SealedRows", example: { sealed: 12, more: false } });
export type SealedReply = z.infer<typeof sealedReplySchema>;
