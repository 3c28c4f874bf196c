import { parseRange } from '../guards/address-range.ts';

/**
 * How a field that no format reads changes its entry: it exempts the subject, marks the entry as inactive, or changes the
 * entry in another way.
 */
export type Meaning = 'exempt' | 'void' | 'other';

/** Normalizes a name or word: case, blanks, dashes, and forms of letters do not matter. */
export function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** Limits the cache of folded names: feeds have few, but a hostile one may have any number. */
const MAX_NAMES = 1000;
const names = new Map<string, string>();

/** Folds the name of a field, with a cache, as names recur in every record. */
export function foldedName(name: string): string {
  const before = names.get(name);
  if (before !== undefined) return before;
  const found = folded(name);
  if (names.size < MAX_NAMES) names.set(name, found);
  return found;
}

/** What a field with some folded name can mean. */
interface Named {
  readonly pattern: RegExp;
  /** The meaning of a value of this field. */
  meaning(value: unknown): Meaning | undefined;
}

const NAMES: readonly Named[] = [
  {
    pattern:
      /negat|invert|inverse|except|exempt|exclu|allow|whitelist|permit|bypass|passlist|goodlist|safelist|falsepositive|unblock|unban|(no|not|dont)(block|ban|deny|malicious|abusive|bad)|^(is|known)?(not|fp|ok|good|clean|white|wl|friendly|vip|protected|trust(ed)?|safe|benign|harmless|ignored?|skip(ped)?|unless)$|ausnahme|erlaub|zugelassen|freigegeben|autoris|excep|permes|ammess|toegestaan|uitzonder|разреш|исключ|^бел|白|許可|许可|允许|例外|허용/,
    meaning: (value) => (isFalse(value) ? undefined : 'exempt'),
  },
  {
    pattern:
      /disabl|inactive|delet|remov|revok|retract|withdr|^(is)?expired$|simulat|dryrun|delist|unlist|suspend|suppress|supersed|obsolete|retired|mitigat|remediat|resolved|deprecat|(observe|detect|alert|count|report)only|^(is)?(dead|test|trial|shadow|logonly|monitoronly|archived|muted|paused)$/,
    meaning: (value) => (isFalse(value) ? undefined : 'void'),
  },
  {
    pattern:
      /^(is|has)?(active|enabled?|valid|live|listed|block(ed|ing)?|deny|denied|ban(ned)?|blacklist(ed)?|blocklist(ed)?|denylist(ed)?|malicious|abusive|bad|toids|confirmed|effective|published|included?|inforce|enforced?|enforcement|appl(y|ied|ies)|inuse|current|tp|truepositive|success)$/,
    meaning: (value) => (isNothing(value) || !isFalse(value) ? undefined : 'void'),
  },
  {
    pattern:
      /mask|subnet|prefix|cidr|wildcard|netblock|network$|(len|length|bits)$|^(net|block|network)?size$|hosts$|^(num|number|n|count|total)?(of)?(ips|addrs|addresses)(count)?$|^range|(ip|addr|address|net)range|range(start|end|begin|from|to|first|last)|^(ip|addr|address|net)(start|begin|first|from|low|lower|min|end|stop|last|to|high|upper|max)$|^(start|begin|first|from|low|lower|min|end|stop|last|to|high|upper|max)(ip|addr|address|net)$|^(ip|addr|address|net)?(num|int|long|dec|number|integer)(start|begin|first|from|end|stop|last|to)$|^(start|begin|first|from|end|stop|last|to)(ip|addr|address)?(num|int|long|dec|number|integer)$/,
    meaning: (value) => (isNothing(value) ? undefined : 'other'),
  },
  {
    pattern:
      /expir|validuntil|validto|^until$|ttl$|lifetime|notafter|^end(s|at|time|date|son)?$|(ban|block)(ed)?(end|until|time|seconds|period)|^timeout|^maxage|^lease/,
    meaning: (value) => (isFalse(value) ? undefined : 'other'),
  },
  {
    pattern: /regex|pattern|^match(es|type|mode)?$|operator|comparator|fuzzy|partial|contains|startswith|endswith/,
    meaning: (value) => (isFalse(value) || EXACT.test(wordOf(value)) ? undefined : 'other'),
  },
  {
    pattern:
      /^(rule|waf|firewall|fw)?(action|verdict|decision|disposition|effect|op|operation|permission|policy|remediation|mode)s?$/,
    meaning: (value) => (isNothing(value) || BLOCKS.test(wordOf(value)) ? undefined : 'other'),
  },
];

const EXACT = /^(exact(ly)?|equals?|eq|is|literal)$/;
const BLOCKS =
  /^(deny|denied|block(ed|list|listed)?|ban(ned)?|drop(ped)?|reject(ed)?|refused?|blacklist(ed)?|add(ed)?|insert(ed)?|create[ds]?|new|malicious|bad|true|yes|1)$/;

/** Values that exempt the entry, in a field of any name. */
const PASSES =
  /^(allow(ed|ing|list|listed)?|permit(ted)?|accept(ed)?|pass(ed|list|through)?|white(list|listed|listing)?|exempt(ed|ion)?|except(ed|ion)?|exclude[ds]?|exclusion|ignore[ds]?|skip(ped)?|bypass(ed)?|safe(list|listed)?|benign|trusted|harmless|clean|good|legit(imate)?|negative|falsepositive|negated?|inverted|un(block|blocked|ban|banned)|(do|is)?not?(block|blocked|ban|banned|deny|denied)|dont(block|ban|deny))$/;
const VOIDS =
  /^(un|de)listed$|^(inactive|disabled?|del|deleted?|removed?|revoked?|retracted|expired|withdrawn|suspended|obsolete|simulated?|dryrun|logonly|monitoronly)$/;

/** The meaning of a field for the entry of `subject` (canonical); undefined if it has none. */
export function meaningOf(name: string, value: unknown, subject: string): Meaning | undefined {
  const word = meaningOfWord(value);
  if (word === 'exempt') return word; // stronger than any meaning of its name
  if (NETWORK.test(foldedName(name)) && isBaseOf(value, subject)) return undefined;
  return namedBy(name)?.meaning(value) ?? word ?? meaningOfAddress(value, subject);
}

/** Whether fields of this name can change an entry, depending on their value. */
export function canMean(name: string): boolean {
  return namedBy(name) !== undefined;
}

function namedBy(name: string): Named | undefined {
  const before = meanings.get(name);
  if (before !== undefined) return before ?? undefined;
  const found = NAMES.find(({ pattern }) => pattern.test(foldedName(name)));
  if (meanings.size < MAX_NAMES) meanings.set(name, found ?? null);
  return found;
}

/** The cache by name; null for names without a meaning. */
const meanings = new Map<string, Named | null>();

/** The meaning of a value in a field whose name has none. */
export function meaningOfWord(value: unknown): Meaning | undefined {
  if (typeof value !== 'string' || value.length > 40 || !/[a-z\u0080-\uffff]/i.test(value)) return undefined;
  const word = folded(value);
  if (PASSES.test(word) || passesIn(value)) return 'exempt';
  return VOIDS.test(word) ? 'void' : undefined;
}

/** The exempting words that count within a longer text; excludes those that occur in names. */
const PASSES_AMONG =
  /^(allow(ed|list|listed)?|permit(ted)?|accept(ed)?|white(list|listed)|exempt(ed|ion)?|nomatch|passthru|passlist|safelist(ed)?)$/;

/** Whether a word of the text exempts. */
export function passesIn(text: string): boolean {
  return text.split(/[^\p{L}\p{N}]+/u).some((word) => PASSES_AMONG.test(word.toLowerCase()));
}

/** Names of the address that a network begins with. */
const NETWORK = /network(address|addr)?$/;

function isBaseOf(value: unknown, subject: string): boolean {
  if (typeof value !== 'string' || !isAddress(value) || !subject.startsWith('ip:')) return false;
  return (
    String(parseRange(value)?.words) === String(parseRange(subject.slice('ip:'.length))?.words) && !value.includes('/')
  );
}

/** A second address can be the end of a range, a mask, or the actual subject. */
function meaningOfAddress(value: unknown, subject: string): Meaning | undefined {
  if (typeof value !== 'string' || !subject.startsWith('ip:')) return undefined;
  if (/^\/\d{1,3}$/.test(value)) return 'other';
  if (!isAddress(value)) return undefined;
  const [one, other] = [parseRange(value), parseRange(subject.slice('ip:'.length))];
  const isSame = one?.prefix === other?.prefix && String(one?.words) === String(other?.words);
  return isSame ? undefined : 'other';
}

/** Whether this is an address or a network. */
export function isAddress(text: string): boolean {
  return ADDRESS_SIGNS.test(text) && parseRange(text) !== undefined;
}

const ADDRESS_SIGNS = /^(?=.*[.:])[\d.:a-f/]{2,49}$/i;

/** Whether the value stands for none. */
export function isNothing(value: unknown): boolean {
  if (typeof value === 'string') return /^(\s*|-|n\/a|null|nil|none|undefined)$/i.test(value.trim());
  return value === undefined || value === null;
}

/** Whether a flag is not set. */
export function isFalse(value: unknown): boolean {
  if (typeof value === 'string')
    return isNothing(value) || /^(0|false|f|no|n|off|nein|aus|non|nee|nej|não|нет|否)$/i.test(value.trim());
  return isNothing(value) || value === false || value === 0;
}

/** Whether a flag is set. */
export function isTrue(value: unknown): boolean {
  return value === true || value === 1 || (typeof value === 'string' && /^(1|true|t|yes|y|on)$/i.test(value.trim()));
}

function wordOf(value: unknown): string {
  return typeof value === 'object' ? '' : folded(String(value));
}
