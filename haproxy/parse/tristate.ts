/** True, false, or unknown. */
export type Tristate = boolean | undefined;

export function not(truth: Tristate): Tristate {
  return truth === undefined ? undefined : !truth;
}

export function every(truths: readonly Tristate[]): Tristate {
  if (truths.includes(false)) return false;
  return truths.includes(undefined) ? undefined : true;
}

export function some(truths: readonly Tristate[]): Tristate {
  if (truths.includes(true)) return true;
  return truths.includes(undefined) ? undefined : false;
}
