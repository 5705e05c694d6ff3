/** Tells that the session has ended: in this tab, and with `toAll` in every other tab too. */
const ENDED = "keyhole:session-ended";
const channel = new BroadcastChannel("keyhole-console");

/** What tabs tell each other. A message has no more than this word. */
type Message = "ended" | "began";

/** Has this tab ask who is logged in. */
export function endSession(): void {
  window.dispatchEvent(new Event(ENDED));
}

/** Tells the other tabs that somebody has logged out or in: what they show may be somebody else's. */
export function tellTabs(message: Message): void {
  channel.postMessage(message);
}

/**
 * Calls `surely` when another tab has logged in or out, and `perhaps` when the session may have ended or changed. Returns what
 * ends that.
 */
export function onSessionChange({ perhaps, surely }: { perhaps: () => void; surely: () => void }): () => void {
  const visible = () => {
    if (document.visibilityState === "visible") perhaps();
  };
  window.addEventListener(ENDED, perhaps);
  channel.addEventListener("message", surely);
  document.addEventListener("visibilitychange", visible);
  // A page that the browser has kept and shows again is as it was left.
  window.addEventListener("pageshow", perhaps);
  return () => {
    window.removeEventListener(ENDED, perhaps);
    channel.removeEventListener("message", surely);
    document.removeEventListener("visibilitychange", visible);
    window.removeEventListener("pageshow", perhaps);
  };
}
