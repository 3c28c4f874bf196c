import { parseRange } from '../guards/address-range.ts';

/**
 * What a field that no format reads does to the entry beside it: it lets pass what the entry would block, says that the
 * entry is not in force, or makes it another one.
 */
export type Meaning = 'exempt' | 'void' | 'other';

/** A name or a word without what different people write differently: case, blanks, dashes, forms of a letter. */
export function folded(text: string): string {
  return text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]/gu, '');
}

/** Names of fields, folded: feeds have few, but a hostile one may have any number. */
const MAX_NAMES = 1000;
const names = new Map<string, string>();

/** The same for the name of a field, which comes again with every record. */
export function foldedName(name: string): string {
  const before = names.get(name);
  if (before !== undefined) return before;
  const found = folded(name);
  if (names.size < MAX_NAMES) names.set(name, found);
  return found;
}

/** Of a folded name: what its field can mean. */
interface Named {
  readonly pattern: RegExp;
  /** What a value under such a name means. */
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

/** Words that say, whatever the name of their field is, that the entry is none to block. */
const PASSES =
  /^(allow(ed|ing|list|listed)?|permit(ted)?|accept(ed)?|pass(ed|list|through)?|white(list|listed|listing)?|exempt(ed|ion)?|except(ed|ion)?|exclude[ds]?|exclusion|ignore[ds]?|skip(ped)?|bypass(ed)?|safe(list|listed)?|benign|trusted|harmless|clean|good|legit(imate)?|negative|falsepositive|negated?|inverted|un(block|blocked|ban|banned)|(do|is)?not?(block|blocked|ban|banned|deny|denied)|dont(block|ban|deny))$/;
const VOIDS =
  /^(un|de)listed$|^(inactive|disabled?|del|deleted?|removed?|revoked?|retracted|expired|withdrawn|suspended|obsolete|simulated?|dryrun|logonly|monitoronly)$/;

/** What a field means for the entry of `subject`, which is canonical; undefined is nothing. */
export function meaningOf(name: string, value: unknown, subject: string): Meaning | undefined {
  const word = meaningOfWord(value);
  if (word === 'exempt') return word; // more than its name could say
  return namedBy(name)?.meaning(value) ?? word ?? meaningOfAddress(value, subject);
}

/** Whether a field by this name can mean something: one that does not, by its value, was read for that. */
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

/** By the name itself; null is one that means nothing. */
const meanings = new Map<string, Named | null>();

/** The same for a value whose field has no name that says more. */
export function meaningOfWord(value: unknown): Meaning | undefined {
  if (typeof value !== 'string' || value.length > 40 || !/[a-z\u0080-\uffff]/i.test(value)) return undefined;
  const word = folded(value);
  if (PASSES.test(word) || passesIn(value)) return 'exempt';
  return VOIDS.test(word) ? 'void' : undefined;
}

/** Among other words only those count that are in no name. */
const PASSES_AMONG =
  /^(allow(ed|list|listed)?|permit(ted)?|accept(ed)?|white(list|listed)|exempt(ed|ion)?|nomatch|passthru|passlist|safelist(ed)?)$/;

/** Whether one of the words of a text says that something passes. */
export function passesIn(text: string): boolean {
  return text.split(/[^\p{L}\p{N}]+/u).some((word) => PASSES_AMONG.test(word.toLowerCase()));
}

/** A second address ends a range, is a mask, or is the one that was meant. */
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

/** What stands for no value. */
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
