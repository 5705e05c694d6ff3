/** Whether a `Content-Type` is that of JSON (RFC 9110, section 8.3.1; RFC 6839, section 3.1). Its parameters do not count. */
export function isJson(contentType: string): boolean {
  return /^application\/(?:[\w.-]+\+)?json$/.test(essenceOf(contentType));
}

/** JSON, or a type of its own that is JSON too, with parameters that have a name and a value. */
const JSON_BODY = /^application\/(?:[a-z.-]+\+)?json(?:;\s*[a-z0-9-]+=[^;]+)*$/i;

/** Whether one of these media types is that of a `Content-Type`. */
export function takesMediaType(types: readonly string[], contentType: string): boolean {
  if (isJson(contentType)) return types.includes("application/json") && JSON_BODY.test(contentType);
  return types.includes(essenceOf(contentType));
}

/** The media type without its parameters, in small letters. */
function essenceOf(contentType: string): string {
  const [mediaType = ""] = contentType.split(";");
  return mediaType.trim().toLowerCase();
}
