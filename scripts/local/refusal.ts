/** Why the local server is not started, and what to do. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly hint: string;

  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** The port is somebody else's. */
export function portTaken(port: number): Refusal {
  return new Refusal(`port ${port} is taken`, "npm start -- --port N, with another port");
}
