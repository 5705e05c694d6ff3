import { SECRET_NAME, whole } from "./grammar.ts";
import { type SecretName, secretNameSchema } from "./secret-name.ts";
import { isWellFormed } from "./well-formed.ts";

/**
 * How a key of an object is stored that is no name of a secret (`.dockerconfigjson`, `2fa`, `a b`): the prefix, then its UTF-8,
 * letters, digits, `_` and `.` as they are and each other byte as `-` and two hexadecimal digits in capitals. A key that could
 * be read as such a name itself is stored so, too; so every key has one name, and every name is of one key.
 */
const ENCODED_PREFIX = "_x.";
const PLAIN = /^[A-Za-z0-9_.]$/;
const ENCODED = whole(`_x\\.(?:[A-Za-z0-9_.]|-[0-9A-F]{2})+`);
const NAME = whole(SECRET_NAME);

/** The name under which a key of an object is stored, or why it cannot be, in words that follow the key. */
export type KeyName = { readonly name: SecretName; readonly encoded: boolean } | { readonly reason: string };

/** The name under which a key of an object is stored. */
export function nameOfKey(key: string): KeyName {
  if (key === "" || !isWellFormed(key)) return { reason: "is not a key: it is empty, or holds a lone surrogate" };
  if (key === "__proto__") return { reason: "is not taken: programs would lose it, or take it for theirs" };
  const encoded = !NAME.test(key) || isEncoded(key);
  const name = secretNameSchema.safeParse(encoded ? encode(key) : key);
  if (name.success) return { name: name.data, encoded };
  return { reason: "is too long: a key has at most 128 characters, and one that is no secret's name fewer, because it is stored encoded" };
}

/** The key of an object that a name stands for. */
export function keyOfName(name: string): string {
  const key = decode(name);
  return key !== undefined && isNameOf(name, key) ? key : name;
}

/** Whether a name stands for another key than itself. */
export function isEncoded(name: string): boolean {
  const key = decode(name);
  return key !== undefined && isNameOf(name, key);
}

/** Whether a key is stored under a name that it was decoded from: it is no name itself, or looks encoded, and the name is how it is written. */
function isNameOf(name: string, key: string): boolean {
  return key !== "__proto__" && encode(key) === name && (!NAME.test(key) || isEncoded(key));
}

function encode(key: string): string {
  const bytes = [...new TextEncoder().encode(key)];
  return ENCODED_PREFIX + bytes.map((byte) => encodeByte(byte)).join("");
}

function encodeByte(byte: number): string {
  const character = String.fromCharCode(byte);
  return PLAIN.test(character) ? character : `-${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}

function decode(name: string): string | undefined {
  if (!ENCODED.test(name)) return undefined;
  const parts = name.slice(ENCODED_PREFIX.length).match(/-[0-9A-F]{2}|[A-Za-z0-9_.]/g) ?? [];
  const bytes = parts.map((part) => (part.length === 1 ? part.charCodeAt(0) : Number.parseInt(part.slice(1), 16)));
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
  } catch {
    return undefined;
  }
}
