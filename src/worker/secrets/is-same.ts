/** Whether two values are the same, compared in constant time. */
export async function isSame(one: Uint8Array, other: Uint8Array): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((bytes) => crypto.subtle.digest("SHA-256", bytes as BufferSource)));
  return crypto.subtle.timingSafeEqual(a as ArrayBuffer, b as ArrayBuffer);
}
