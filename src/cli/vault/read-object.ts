import * as z from "zod";
import type { Mount } from "./find-mount.ts";
import { type JsonMember, jsonMember, jsonMembers } from "./json-members.ts";
import type { Vault } from "./open-vault.ts";
import { parseReply } from "./parse-reply.ts";

/** The current version of an object, or why there is none. */
export type VaultObject =
  | {
      readonly found: true;
      readonly members: readonly JsonMember[];
      readonly customMetadata: Readonly<Record<string, string>>;
      /** When the Vault will delete it by itself, if it will. */
      readonly deletedLater: string | undefined;
    }
  | { readonly found: false; readonly refused: boolean; readonly reason: string };

const objectSchema = z.record(z.string(), z.unknown());
const firstSchema = z.object({ data: objectSchema });
const secondSchema = z.object({
  data: z.object({
    data: objectSchema,
    metadata: z.object({ custom_metadata: z.record(z.string(), z.string()).nullish(), deletion_time: z.string().optional() }),
  }),
});
const goneSchema = z.object({ data: z.object({ metadata: z.object({ destroyed: z.boolean() }) }) });

/** Reads the current version of an object. */
export async function readObject(vault: Vault, mount: Mount, path: string): Promise<VaultObject> {
  const second = mount.version === "2";
  const reply = await vault.read([...mount.segments, ...(second ? ["data"] : []), ...path.split("/")]);
  if (reply.status === 403) return { found: false, refused: true, reason: "the Vault does not let this token read it" };
  if (reply.status === 404) return { found: false, refused: false, reason: whyGone(reply.text) };
  const outer = jsonMember(reply.text, "data") ?? "";
  if (!second) {
    parseReply(firstSchema, reply.text, vault.host);
    return { found: true, members: lastOfEach(outer), customMetadata: {}, deletedLater: undefined };
  }
  const { metadata } = parseReply(secondSchema, reply.text, vault.host).data;
  return {
    found: true,
    members: lastOfEach(jsonMember(outer, "data") ?? ""),
    customMetadata: metadata.custom_metadata ?? {},
    deletedLater: metadata.deletion_time || undefined,
  };
}

/** Without a word where there is nothing; with what is known of it where its current version is deleted or destroyed. */
function whyGone(text: string): string {
  const gone = goneSchema.safeParse(JSON.parse(text));
  if (!gone.success) return "it has no current version";
  return `its current version is ${gone.data.data.metadata.destroyed ? "destroyed" : "deleted"}`;
}

function lastOfEach(json: string): JsonMember[] {
  return [...new Map(jsonMembers(json).map((member) => [member.name, member])).values()];
}
