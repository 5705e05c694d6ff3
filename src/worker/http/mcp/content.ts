/** A part of what a tool gives. */
export interface Content {
  readonly type: "text";
  readonly text: string;
}
