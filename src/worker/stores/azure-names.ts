/**
 * How a name is written at Azure, whose names are letters, digits and `-` and the same in either case.
 *
 * A name of lower-case letters, digits and `-` stands for itself, unless it begins with `kh-`. Any other is `kh-` and the rest
 * of it: lower-case letters and digits as they are, `--` where the case changes (it begins as lower), and `-` and two
 * hexadecimal digits for every other byte. `DATABASE_URL` is `kh---database-5furl`. Two names are never written alike.
 */
const PLAIN = /^[a-z0-9-]+$/;
const ENCODED = "kh-";
const LONGEST = 127;

/** A name as Azure has it; `undefined` where it would be too long, or is empty. */
export function toAzureName(name: string): string | undefined {
  const written = PLAIN.test(name) && !name.startsWith(ENCODED) ? name : encode(name);
  return name !== "" && written.length <= LONGEST ? written : undefined;
}

/** The name that is written so; `undefined` where no name is. */
export function fromAzureName(written: string): string | undefined {
  const lower = written.toLowerCase();
  const name = lower.startsWith(ENCODED) ? decode(lower.slice(ENCODED.length)) : lower;
  return name !== undefined && toAzureName(name) === lower ? name : undefined;
}

function encode(name: string): string {
  let written = ENCODED;
  let upper = false;
  for (const byte of new TextEncoder().encode(name)) {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z]/.test(character) && /[A-Z]/.test(character) !== upper) {
      upper = !upper;
      written += "--";
    }
    written += /[A-Za-z0-9]/.test(character) ? character.toLowerCase() : `-${byte.toString(16).padStart(2, "0")}`;
  }
  return written;
}

function decode(written: string): string | undefined {
  const bytes: number[] = [];
  let upper = false;
  for (const [, plain, hex] of written.matchAll(/([a-z0-9])|-([0-9a-f]{2})|--|(?:.|\n)/g)) {
    if (plain !== undefined) bytes.push((upper ? plain.toUpperCase() : plain).charCodeAt(0));
    else if (hex !== undefined) bytes.push(Number.parseInt(hex, 16));
    else upper = !upper;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
  } catch {
    return undefined;
  }
}
