import { getDomain, getPublicSuffix } from 'tldts';
import { parseRange } from './address-range.ts';
import { SUFFIX_OWNERS } from './public-suffix-owners.ts';

/** Methods that nearly every client uses. */
const USUAL_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST']);

/** Headers with the same value for nearly every client, or for all clients with one browser or language. */
const SHARED_HEADERS: ReadonlySet<string> = new Set([
  ...['accept', 'accept-charset', 'accept-encoding', 'accept-language', 'cache-control', 'connection', 'dnt', 'host'],
  ...['keep-alive', 'pragma', 'priority', 'sec-ch-ua', 'sec-ch-ua-mobile', 'sec-ch-ua-platform', 'sec-fetch-dest'],
  ...['sec-fetch-mode', 'sec-fetch-site', 'sec-fetch-user', 'sec-gpc', 'te', 'upgrade-insecure-requests'],
  ...['x-forwarded-host', 'x-forwarded-port', 'x-forwarded-proto'],
]);

/** Names that usual browsers have in their agents, beside those that no lookup asks for. */
const BROWSERS =
  /^\*(firefox|rv|edg(a|e|ios)?|opr|opera|crios|fxios|gsa|samsungbrowser|yabrowser|vivaldi|brave|duckduckgo|ddg|trident|msie|presto|x11|ubuntu|fedora|debian|cros|kaios|nexus|pixel|huawei|xiaomi|redmi|samsung|ipod|arm_64|aarch64|gecko firefox|mobile safari)\/?\*$/;

/** The widest networks of a single holder. No IPv4 network wider than /8 is accepted anyway. */
const WIDEST_OF_ONE = { 4: 9, 6: 20 } as const;

/** Why an entry for this subject would match nearly every client, or many unrelated ones; undefined if it would not. */
export function catchAllProblem(subject: string): string | undefined {
  const colon = subject.indexOf(':');
  const [kind, value] = [subject.slice(0, colon), subject.slice(colon + 1)];
  if (kind === 'ip') return wideProblem(subject, value);
  if (kind === 'path' && value === '/*') return `${subject} would match every request`;
  if (kind === 'path' && value === '/') return `${subject} would block the front page for all clients`;
  if (kind === 'host' && value.startsWith('*.')) return suffixProblem(subject, value.slice('*.'.length));
  if (kind === 'method' && USUAL_METHODS.has(value)) return `${subject} would match nearly every request`;
  if (kind === 'ua' && BROWSERS.test(value)) return `${subject} would match every visitor with a usual browser`;
  if (kind.startsWith('header.') && SHARED_HEADERS.has(kind.slice('header.'.length)))
    return `${kind} has the same value in very many requests: ${kind}:… would match them all`;
  return undefined;
}

function wideProblem(subject: string, value: string): string | undefined {
  const range = parseRange(value);
  if (range === undefined) return undefined;
  const family = range.words.length === 1 ? 4 : 6;
  if (range.prefix >= WIDEST_OF_ONE[family]) return undefined;
  return `${subject} covers networks of many holders: the widest network of one holder is a /${WIDEST_OF_ONE[family]}`;
}

/** Below a public suffix (publicsuffix.org) names belong to different owners: `co.uk`, `github.io`, all below `ck`. */
function suffixProblem(subject: string, name: string): string | undefined {
  if (!name.includes('.')) return `${subject} would match every host of a top-level domain`;
  const options = { allowPrivateDomains: true, extractHostname: false, validateHostname: false };
  const below = getPublicSuffix(`x.${name}`, options) ?? '';
  if (below.length >= name.length) return `${subject} would match every host of a public suffix, whatever their owner`;
  const domain = getDomain(name, options) ?? '';
  if (!SUFFIX_OWNERS.has(domain)) return undefined;
  return `${subject} would match hosts of many owners: there are public suffixes below ${domain}`;
}
