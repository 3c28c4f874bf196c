/** Calls `tell` with the errors that lines of a function's log are about: each once, until another one comes. */
export function functionErrors(tell: (error: string) => void): (line: string) => void {
  let told = '';
  return (line) => {
    const error = errorIn(line);
    if (error === undefined || error === told) return;
    told = error;
    tell(error);
  };
}

/** Undefined for other lines, as for what is not in Lambda's format. */
function errorIn(line: string): string | undefined {
  try {
    const { level, message, problem } = JSON.parse(line);
    return level === 'ERROR' ? [message, problem].filter((part) => typeof part === 'string').join(': ') : undefined;
  } catch {
    return undefined;
  }
}
