/** Why keys, or the file that they are in, are left as they are, and what to do. Neither line holds a value. */
export class KeysFileError extends Error {
  override readonly name = "KeysFileError";
  readonly hint: string;

  constructor(message: string, hint: string, options?: ErrorOptions) {
    super(message, options);
    this.hint = hint;
  }
}
