/** A lock. What it means is said beside it. */
export function LockIcon() {
  return (
    <svg width="10" height="11" viewBox="0 0 10 11" aria-hidden="true">
      <path d="M2 5V3.5a3 3 0 0 1 6 0V5" fill="none" stroke="currentColor" stroke-width="1.4" />
      <rect x="1" y="5" width="8" height="6" rx="1.2" fill="currentColor" />
    </svg>
  );
}
