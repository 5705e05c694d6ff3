/** One way in which the bytes of a stream are read: as they are, or as what they are an encoding of. */
export interface Reading {
  /**
   * Takes the next byte of the stream; returns whether something has begun. Where nothing has, bytes with which no text
   * begins need not be taken.
   *
   * @param mayBegin Whether a text may begin with this byte.
   */
  take(byte: number, position: number, mayBegin: boolean): boolean;
  /** From where on the stream is the beginning of a form of a text; `undefined` where it is none. */
  heldFrom(): number | undefined;
}
