import * as z from "zod";

/** Codes of errors (JSON-RPC 2.0, section 5.1; MCP 2026-07-28 for the last two). */
export const RPC = {
  parse: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  headerMismatch: -32_020,
  unsupportedVersion: -32_022,
} as const;

/** The status with which an error of the protocol is answered over HTTP. */
const STATUS: Readonly<Record<number, 400 | 404>> = { [RPC.methodNotFound]: 404 };

/** Something is wrong with a message, and not with what it asks for. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly status: 200 | 400 | 404;

  /** @param status Unless told that of the code. */
  constructor(
    readonly code: number,
    message: string,
    readonly data?: object,
    status?: 200,
  ) {
    super(message);
    this.status = status ?? STATUS[code] ?? 400;
  }
}

const idSchema = z.union([z.string().max(1_000), z.number()]);
const messageSchema = z.looseObject({
  jsonrpc: z.literal("2.0"),
  id: idSchema.optional(),
  method: z.string().max(200).optional(),
  params: z.record(z.string(), z.unknown()).optional(),
});

/** A message of a client: a request has an `id`, a notification has none, and neither has an answer to us a method. */
export interface RpcMessage {
  readonly id: string | number | undefined;
  readonly method: string | undefined;
  readonly params: Readonly<Record<string, unknown>>;
}

/**
 * Reads one message (JSON-RPC 2.0, section 4). MCP has no batches since 2025-06-18.
 *
 * @throws {RpcError}
 */
export function parseMessage(text: string): RpcMessage {
  const parsed = messageSchema.safeParse(parse(text));
  if (!parsed.success) throw new RpcError(RPC.invalidRequest, "Send one JSON-RPC 2.0 message.");
  const { id, method, params = {} } = parsed.data;
  return { id, method, params };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RpcError(RPC.parse, "The body is not JSON.");
  }
}
