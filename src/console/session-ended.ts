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

/** Calls `act` whenever the session may be another one. Returns what ends that. */
export function onSessionChange(act: () => void): () => void {
  const visible = () => {
    if (document.visibilityState === "visible") act();
  };
  window.addEventListener(ENDED, act);
  channel.addEventListener("message", act);
  document.addEventListener("visibilitychange", visible);
  // A page that the browser has kept and shows again is as it was left.
  window.addEventListener("pageshow", act);
  return () => {
    window.removeEventListener(ENDED, act);
    channel.removeEventListener("message", act);
    document.removeEventListener("visibilitychange", visible);
    window.removeEventListener("pageshow", act);
  };
}
