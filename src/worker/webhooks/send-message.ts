import type { Keyring } from "../envelope/keyring.ts";
import { callOut } from "../outgoing/call-out.ts";
import { OutgoingError } from "../outgoing/outgoing-error.ts";
import type { FoundWebhook } from "./read-webhooks.ts";
import { openSigning, signedHeaders } from "./signing.ts";
import { type AddressNeeds, webhookRules } from "./webhook-address.ts";

/** What sending a message came to: the status of who was told, or why there is none. */
export type SentMessage = { readonly status: number } | { readonly status: null; readonly refusal: "address" | "unreachable" | "secret" };

/** How long an address may take to answer, in milliseconds. */
const TIME = 5_000;

/** Sends a message to a webhook's address, signed. What is answered beside the status is not read. */
export async function sendMessage(
  needs: AddressNeeds & { readonly keyring: Keyring; readonly now: Date },
  { row, definition }: FoundWebhook,
  message: { readonly id: string; readonly body: string },
): Promise<SentMessage> {
  const signing = await openSigning(needs.keyring, row);
  if (!signing) return { status: null, refusal: "secret" };
  const headers = new Headers({
    "Content-Type": "application/json",
    "User-Agent": "Keyhole-Webhooks",
    ...(await signedHeaders(signing, { ...message, at: needs.now })),
  });
  try {
    const call = { url: new URL(definition.url), method: "POST", headers, body: message.body, firstByte: TIME, whole: TIME };
    const reply = await callOut(webhookRules(needs, definition.own), call);
    await reply.body?.cancel();
    return { status: reply.status };
  } catch (error) {
    if (!(error instanceof OutgoingError)) throw error;
    return { status: null, refusal: error.refusal === "not-public" || error.refusal === "own-address" ? "address" : "unreachable" };
  }
}

/** Whether it was taken. */
export function wasTaken({ status }: Pick<SentMessage, "status">): boolean {
  return status !== null && status >= 200 && status < 300;
}

/** The body of a message: what happened, when, and about what. */
export function messageBody(type: string, at: Date, data: object): string {
  return JSON.stringify({ type, timestamp: at.toISOString(), data });
}
