import { printable } from '../../contract/printable.ts';
import { formatSubject, isKind, parseSubject, SubjectError } from '../../contract/subject.ts';
import { addressHint } from './address-hint.ts';
import { subjectsOfRange } from './address-ranges.ts';
import { InvalidLineError } from './invalid-line.ts';

/** Parses a value to canonical subjects, several for a range; `kind` is the default kind. */
export function subjectsOf(value: string, kind: string): readonly string[] {
  const address = addressIn(value, kind);
  if (address === undefined) return [subjectOf(value, kind)];
  return subjectsOfRange(address) ?? [subjectOf(withoutPort(address) ?? value, 'ip')];
}

/** Parses a value to one canonical subject. */
export function subjectOf(value: string, kind: string): string {
  if (value.includes('\ufffd')) throw new InvalidLineError(`"${printable(value)}" is not UTF-8 text`);
  if (EXEMPTING.test(value) && !/^(ua$|header|cookie|key)/.test(kind)) throw exempted(value, kind);
  try {
    return formatSubject(parseSubject(hasKind(value) || kind === 'ip' ? value : `${kind}:${value}`));
  } catch (error) {
    const hint = error instanceof SubjectError && kind === 'ip' ? addressHint(value) : undefined;
    throw hint === undefined ? error : new SubjectError(`"${printable(value)}" ${hint}`);
  }
}

/** The value of an `ip` subject; undefined for another kind. */
function addressIn(value: string, kind: string): string | undefined {
  if (/^ip:/i.test(value)) return value.slice('ip:'.length);
  return kind === 'ip' && !hasKind(value) ? value : undefined;
}

function hasKind(value: string): boolean {
  return isKind(value.slice(0, Math.max(value.indexOf(':'), 0)));
}

/** The address of `203.0.113.7:8080` or `[2001:db8::1]:8080`, as lists of servers and proxies have it. */
function withoutPort(value: string): string | undefined {
  const [, ipv4, ipv6] = WITH_PORT.exec(value) ?? [];
  return ipv4 ?? ipv6;
}

const WITH_PORT = /^(?:(\d+(?:\.\d+){3}):\d{1,5}|\[([\da-f:.]+)\](?::\d{1,5})?)$/i;

/** Prefixes that mark exceptions in lists of other programs. A dash with a blank is an item of YAML. */
const EXEMPTING = /^(!|~|@@|-(?=\S+$))[!\s|]*/;

function exempted(value: string, kind: string): InvalidLineError {
  const message = `"${printable(value)}" exempts a subject from blocking: remove it`;
  try {
    return new InvalidLineError(message, subjectOf(value.replace(EXEMPTING, ''), kind));
  } catch (error) {
    if (error instanceof SubjectError || error instanceof InvalidLineError) return new InvalidLineError(message, '');
    throw error;
  }
}
