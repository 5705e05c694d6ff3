const atOnce = async (): Promise<void> => {};

/** A clock that stands still, and rests that take no time: a scheduled run does all that is due. */
export const STILL = { clock: (): number => 0, rest: atOnce, turn: atOnce };
