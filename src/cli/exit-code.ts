/** What the process's exit status says. `run` ends with its command's own. */
export const EXIT = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  refused: 4,
  unavailable: 5,
  incomplete: 6,
  cannotExecute: 126,
  noSuchCommand: 127,
  cancelled: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
