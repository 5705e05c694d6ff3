/** A line of a value, and a form in which only a part of it shows, is masked by itself from this length on: `{` alone says nothing and is everywhere. */
const SHORTEST = 8;
/** Up to this length base64 is masked line by line too. Each line costs a search of all that is printed. */
const LONGEST_WRAPPED = 8192;
/** How long a line of base64 is: `base64` and MIME (RFC 2045, section 6.8), `openssl base64` and PEM (RFC 7468, section 2). */
const LINE_LENGTHS = [76, 64];

/**
 * The forms in which programs print a value: as it is, without the white space around it, line by line, and as JSON,
 * base64 (RFC 4648, sections 4 and 5; also in the midst of something longer) and percent-encoding (RFC 3986, section 2.1)
 * write it.
 */
export function formsOf(value: string): string[] {
  // A program often leaves out the line end of a value: `$(cat key)`.
  const whole = [...new Set([value, value.trim()])];
  const lines = value.split(/\r?\n/);
  const inner = [...(lines.length > 1 ? lines : []), ...whole.flatMap(asBase64)].filter((form) => form.length >= SHORTEST);
  const encoded = whole.filter((text) => text.trim() !== "").flatMap((text) => [...asJson(text), ...percentEncoded(text)]);
  return [...whole, ...encoded, ...inner];
}

/** A text as JSON writes it: also in ASCII, as Go and PHP do, and as a text in JSON that is a text in JSON. */
function asJson(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  const once = [json, inAscii(json), inAscii(json).replace(/(?<=\\u)[0-9a-f]{4}/g, (digits) => digits.toUpperCase())];
  const forms = once.flatMap((form) => [form, form.replace(/[<>&]/g, escapeUnit), form.replaceAll("/", "\\/")]);
  return [...new Set([...forms, ...forms.map((form) => JSON.stringify(form).slice(1, -1))])];
}

function inAscii(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, escapeUnit);
}

function escapeUnit(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/**
 * What base64 makes of a text whatever stands before and after it: there are three ways in which its bytes fall into
 * groups of three, and the characters at its borders, which have bits of its neighbours, are left out. Where nothing
 * stands around it, all of it.
 */
function asBase64(text: string): string[] {
  const bytes = Buffer.from(text);
  const whole = bytes.toString("base64");
  const parts = [0, 1, 2].map((before) => {
    const encoded = Buffer.concat([Buffer.alloc(before), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    const shared = (before + bytes.length) % 3 === 0 ? 0 : 1;
    return encoded.slice(before === 0 ? 0 : before + 1, encoded.length - shared);
  });
  const wrapped = whole.length > LONGEST_WRAPPED ? [] : LINE_LENGTHS.flatMap((length) => (whole.length > length ? linesOf(whole, length) : []));
  const forms = [whole, ...parts, ...wrapped];
  return [...forms, ...forms.map((form) => form.replaceAll("+", "-").replaceAll("/", "_"))];
}

function linesOf(text: string, length: number): string[] {
  return Array.from({ length: Math.ceil(text.length / length) }, (_, n) => text.slice(n * length, (n + 1) * length));
}

/** What some encoders leave as it is beside letters, digits, `-`, `.` and `_`: JavaScript's, Python's `quote`, JavaScript's for whole addresses, and none. */
const LEFT_AS_THEY_ARE = ["~!*'()", "~/", "~!*'();/?:@&=+$,#", "~", "*"];

/** A text as percent-encoding writes it, and forms (`+` for a space) do; in capital letters and small ones. */
function percentEncoded(text: string): string[] {
  const bytes = [...Buffer.from(text)];
  const forms = LEFT_AS_THEY_ARE.flatMap((left) => {
    const encoded = bytes.map((byte) => encodeByte(byte, left)).join("");
    return [encoded, encoded.replaceAll("%20", "+")];
  });
  return [...new Set([...forms, ...forms.map((form) => form.replace(/%../g, (byte) => byte.toLowerCase()))])];
}

function encodeByte(byte: number, left: string): string {
  const character = String.fromCharCode(byte);
  return /[\w.-]/.test(character) || left.includes(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
