/**
 * The lookups of a visit on one host, where its requests come at random times (Poisson): its first request, and each first
 * one after a verdict was `renewedAfter` seconds old. The nth lookup has happened if, in what is left of the visit without
 * the n - 1 times in between, at least n requests came.
 */
export function expectedLookups(requests: number, visitSeconds: number, renewedAfter: number): number {
  if (renewedAfter === 0) return requests;
  let lookups = 0;
  let logFactorial = 0;
  for (let nth = 1; ; nth++) {
    const leftShare = visitSeconds === 0 ? Number(nth === 1) : 1 - ((nth - 1) * renewedAfter) / visitSeconds;
    logFactorial += Math.log(nth);
    const likely = leftShare > 0 ? atLeast(nth, requests * leftShare, logFactorial) : 0;
    if (likely < 1e-9) return lookups; // each later one is less likely still
    lookups += likely;
  }
}

/** The probability of at least `count` events where `mean` are expected; summed from the smaller side. */
function atLeast(count: number, mean: number, logFactorial: number): number {
  const exactly = Math.exp(count * Math.log(mean) - mean - logFactorial);
  let sum = 0;
  if (mean < count) {
    for (let term = exactly, n = count; term > 1e-12; term *= mean / ++n) sum += term;
    return sum;
  }
  for (let term = exactly, n = count; term > 1e-12 && n > 0; n--) {
    term *= n / mean;
    sum += term;
  }
  return 1 - sum;
}
