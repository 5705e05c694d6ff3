/** Whether a `Content-Type` is that of JSON (RFC 9110, section 8.3.1; RFC 6839, section 3.1). Its parameters do not count. */
export function isJson(contentType: string): boolean {
  const [mediaType = ""] = contentType.split(";");
  return /^application\/(?:[\w.-]+\+)?json$/i.test(mediaType.trim());
}
