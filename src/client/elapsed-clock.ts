/**
 * A clock of milliseconds that have passed. Of the steady clock and the one on the wall it follows the one that went
 * further: the first stands still while some machines sleep, the second can be set back.
 */
export function elapsedClock(): () => number {
  let [steady, wall, elapsed] = [performance.now(), Date.now(), 0];
  return () => {
    const [steadyNow, wallNow] = [performance.now(), Date.now()];
    elapsed += Math.max(0, steadyNow - steady, wallNow - wall);
    [steady, wall] = [steadyNow, wallNow];
    return elapsed;
  };
}
