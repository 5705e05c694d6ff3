/** An environment variable as a file or an object of variables has it. */
export interface Variable {
  readonly name: string;
  /** Text; base64 of bytes. */
  readonly value: string;
  /** Whether it is base64. */
  readonly isBytes: boolean;
}
