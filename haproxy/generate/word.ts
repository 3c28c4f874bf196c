/** A text as one word of HAProxy's configuration (configuration.txt 2.2). */
export function word(text: string): string {
  return text.replace(/[\s"'#\\]/g, '\\$&');
}

/** The value of a variable as one word, in a place that takes a log-format string. */
export function formatOf(variable: string): string {
  return `"%[${variable}]"`;
}
