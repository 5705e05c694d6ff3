/** Something that has happened, and what undoes it where there is such a thing. */
export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly undo: (() => Promise<void>) | undefined;
}

let toasts: readonly Toast[] = [];
let next = 1;
const listeners = new Set<(toasts: readonly Toast[]) => void>();

function change(to: readonly Toast[]): void {
  toasts = to;
  for (const listener of listeners) listener(toasts);
}

/** Tells what has happened. It stays until it is dismissed or two others have come. Only the last can be undone: what came before it may be no more. */
export function tell(text: string, undo?: () => Promise<void>): void {
  change([...toasts.slice(-2).map((toast) => ({ ...toast, undo: undefined })), { id: next++, text, undo }]);
}

/** Takes one away. */
export function dismiss(id: number): void {
  change(toasts.filter((toast) => toast.id !== id));
}

/** Takes all away: what one session has done is not for the next. */
export function dismissAll(): void {
  change([]);
}

/** Calls `listener` with all of them, at once and on each change. Returns what ends that. */
export function onToasts(listener: (toasts: readonly Toast[]) => void): () => void {
  listeners.add(listener);
  listener(toasts);
  return () => void listeners.delete(listener);
}
