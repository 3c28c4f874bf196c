import { isBlockedByHosts } from './hosts-file.ts';
import { isLikely } from './likely-subject.ts';

/** A kind of file that is no list for us: how its first lines look, what it is, and what would make a list of it. */
interface Other {
  /** Matches the first line that is neither empty nor a comment; a `#` in it, the first line of all. */
  readonly line: RegExp;
  readonly is: string;
  readonly type: string;
  /** Whether it can have user agents and headers, whose values are any text. */
  readonly isText?: true;
  /** Whether it has one such line and no other. */
  readonly isOnlyLine?: true;
}

const OTHERS: readonly Other[] = [
  {
    line: /^\S+ \S+ .{1,80}? \[\d\d\/[A-Z][a-z]{2}\/\d{4}:|haproxy\[\d+\]: /,
    is: 'an access log, which has everybody in it',
    type: 'write the addresses that are to be blocked, one a line',
    isText: true,
  },
  {
    line: /^# table: \S+, type: |^0x[\da-f]+: key=/,
    is: 'a stick table of HAProxy, which has everybody in it',
    type: 'write the keys that are to be blocked, one a line',
    isText: true,
  },
  {
    line: /^#separator |^#fields\t/,
    is: 'a log of Zeek',
    type: 'zeek-cut id.orig_h < FILE | sort -u | haverdict import -',
    isText: true,
  },
  {
    line: /^(\*(filter|nat|mangle|raw|security)$|:[A-Z]\S* |-[AI] \S+ )/,
    is: 'rules of iptables',
    type: "sed -n 's/^-A .*-s \\([^ ]*\\) .*-j \\(DROP\\|REJECT\\).*/\\1/p' FILE | haverdict import -",
  },
  { line: /^Chain \S+ \(/, is: 'what iptables -L prints', type: 'use iptables-save, and of that the addresses' },
  {
    line: /^add element \S/,
    is: 'elements of nftables',
    type: "sed -n 's/^add element .*{\\(.*\\)}.*/\\1/p' FILE | tr -s ' ,\\t' '\\n' | grep '[.:]' | haverdict import -",
  },
  {
    line: /^id,source,ip,reason,action,country,as,/,
    is: 'what cscli decisions list -o raw prints',
    type: 'cscli decisions list -o json | haverdict import -',
  },
  { line: /^Name: \S+$/, is: 'what ipset list prints', type: 'ipset save NAME | haverdict import -' },
  {
    line: /^(table (ip6?|inet|arp|bridge|netdev) |(add|create) (table|set|element|rule) |flush (ruleset|set) |set \S+ \{|elements = \{)/,
    is: 'rules of nftables',
    type: "sed -n '/elements = {/,/}/p' FILE | tr -s ' ,={}\\t' '\\n' | grep '[.:]' | haverdict import -",
  },
  {
    line: /^((deny|allow)\s+\S+\s*;|(geo|map)\s+["']?\$|(server|location|http|upstream)\s.*\{$|["']?[\d.:a-f/]{4,}["']?\s+\S+;$)/,
    is: 'configuration of nginx',
    type: "sed -n 's/^ *deny *\\([^ ;]*\\) *;.*/\\1/p' FILE | haverdict import -",
    isText: true,
  },
  {
    line: /^(<(RequireA|RequireN|If|Limit|Files|Directory|Location|VirtualHost)|Require\s+(not|ip|all|host|expr)\b|(Deny|Allow)\s+from\s|Order\s+(allow|deny)|SetEnvIf|BrowserMatch|Rewrite(Engine|Cond|Rule)\b)/i,
    is: 'configuration of Apache',
    type: "sed -n 's/^ *Deny from *//p;s/^ *Require not ip *//p' FILE | tr ' ' '\\n' | haverdict import -",
    isText: true,
  },
  {
    line: /^(Status for the jail|\[\{'|\[(DEFAULT|sshd)\]|.*fail2ban\.(actions|filter)\b)/,
    is: 'output or configuration of fail2ban',
    type: "fail2ban-client get JAIL banip | tr ' ' '\\n' | haverdict import -",
  },
  {
    line: /^(\[adblock|! *(title|homepage|version|expires|description|last modified|checksum)\b|(@@)?\|\||[^\s#]*##)/i,
    is: 'a filter list for AdBlock',
    type: "sed -n 's/^||\\([A-Za-z0-9.-]*\\)^$/.\\1/p' FILE | haverdict import - --kind host",
  },
  {
    line: /^(address|server|local|domain)=\/[^/]+\//,
    is: 'configuration of dnsmasq',
    type: "sed -n 's/^[a-z]*=\\/\\([^/]*\\)\\/.*/.\\1/p' FILE | haverdict import - --kind host",
  },
  {
    line: /^(local-zone:|local-data:|server:$)/,
    is: 'configuration of Unbound',
    type: 'sed -n \'s/^ *local-zone: *"\\([^"]*\\)".*/.\\1/p\' FILE | haverdict import - --kind host',
  },
  {
    line: /^(\$(TTL|ORIGIN)\b|@\s+.*\bSOA\b|\S+\s+(\d+\s+)?(IN\s+)?CNAME\s)/i,
    is: 'a zone file, as of RPZ',
    type: "sed -n 's/^\\([^ \\t]*\\)[ \\t].*CNAME[ \\t]*\\.$/\\1/p' FILE | haverdict import - --kind host",
  },
  {
    line: /^((ip |ipv6 )?access-list |ip (route|prefix-list) |object-group |(\d+ )?(permit|deny) (ip|tcp|udp|icmp|host|any)\b|set (security|firewall|policy-options) )/,
    is: 'configuration of a router or firewall',
    type: 'write each network with its prefix length, one a line: its masks may be inverted',
  },
  {
    line: /^acl \S+ (src|dst|dstdomain|srcdomain|browser) /,
    is: 'ACLs of Squid or HAProxy',
    type: "sed -n 's/^acl [^ ]* src //p' FILE | tr ' ' '\\n' | haverdict import -",
    isText: true,
  },
  {
    line: /^(vcl \d|acl \w+ \{|sub vcl_)/,
    is: 'configuration of Varnish',
    type: `sed -n 's/^ *"\\([^"]*\\)"\\(\\/[0-9]*\\)\\{0,1\\};.*/\\1\\2/p' FILE | haverdict import -`,
  },
  {
    line: /^(global|defaults|(frontend|backend|listen) \S+|http-request .*|tcp-request .*|acl .*)$/,
    is: 'configuration of HAProxy',
    type: 'import the files that its ACLs read with -f',
  },
  {
    line: /^(ALL|sshd|in\.\w+|[a-z]+d) *: *[\d[]/,
    is: 'a hosts.deny file, unless it is hosts.allow',
    type: "sed -n '/allow/Id;s/^[A-Za-z]* *: *//p' FILE | tr ' ,' '\\n' | haverdict import -",
  },
  {
    line: /^\S+\s+(REJECT|DISCARD|DUNNO|PERMIT)(\s|$)/,
    is: 'an access table of Postfix',
    type: "sed -n 's/^\\([^ \\t]*\\)[ \\t]*REJECT.*/\\1/p' FILE | haverdict import -",
  },
  {
    line: /^(alert|drop|reject|pass|block|log)\s+(ip|tcp|udp|icmp|http|tls|dns|in|out|quick)\b/,
    is: 'rules of a firewall or of an intrusion detection',
    type: 'write the addresses, one a line',
  },
  {
    line: /^(Sec(Rule|Action)|Sec\w+ )/,
    is: 'rules of ModSecurity',
    type: 'write the values, one a line',
    isText: true,
  },
  {
    line: /^(Status: (in)?active|To\s+Action\s+From|\[ *\d+\] .* (DENY|ALLOW|REJECT))/,
    is: 'what ufw status prints',
    type: "sed -n 's/.* \\(DENY\\|REJECT\\) IN *\\([^ ]*\\).*/\\2/p' FILE | haverdict import -",
  },
  {
    line: /^user-agent *:/i,
    is: 'a robots.txt',
    type: "sed -n 's/^[Uu]ser-[Aa]gent: *//p' FILE | grep -v '^\\*' | haverdict import - --kind ua --contains",
    isText: true,
  },
  {
    line: /^[^:]+:\d+(\.\d+){3} *- *\d+(\.\d+){3}$/,
    is: 'a list for PeerGuardian',
    type: "sed 's/^.*://' FILE | haverdict import -",
  },
  {
    line: /^\d{3}(\.\d{3}){3} *- *\d{3}(\.\d{3}){3} *,/,
    is: 'an ipfilter.dat of eMule',
    type: "sed 's/,.*//;s/\\b0*\\([0-9]\\)/\\1/g' FILE | haverdict import -",
  },
  {
    line: /^[\da-f.:/]*[.:][\da-f.:/]*([\t ,;]+[\da-f.:/]*[.:][\da-f.:/]*){2,}[,;]?$/i,
    is: 'several addresses on one line',
    isOnlyLine: true,
    type: "sed 's/#.*//' FILE | tr -s ' ,;\\t' '\\n' | haverdict import -",
  },
  {
    line: /^\d+(\.\d+){3}[\t ]+(?!255\.)\d+(\.\d+){3}(?![\t ]+\d+(\.\d+){3})([\t ]|$)/,
    is: 'a list of ranges in two columns',
    type: "sed -n 's/^\\([0-9.]*\\)[ \\t]*\\([0-9.]*\\).*/\\1-\\2/p' FILE | grep '^[0-9]' | haverdict import -",
  },
  {
    line: /^[\w-]*(allow|white|permit|trust|except|exempt)[\w-]*: *(\[.*)?$/i,
    is: 'YAML',
    type: 'write the addresses that are to be blocked, one a line',
  },
  { line: /^(---$|%YAML|- |[\w-]+:$|[\w-]+: *\[)/, is: 'YAML', type: "sed -n 's/^ *- //p' FILE | haverdict import -" },
  {
    line: /^(version https:\/\/git-lfs|tree [\da-f]{40}$)/,
    is: 'a pointer of Git LFS',
    type: 'git lfs pull',
    isText: true,
  },
  {
    line: /^([45]\d\d[:\s]+[a-z].{0,60}$|(error|access denied|not found|forbidden|rate limit\w*|too many requests|unauthorized)([:\s]|\W*$))/i,
    is: 'an error message',
    type: 'fetch it again, or ask its owner',
    isText: true,
  },
];

/** Where the commands are about addresses. */
const VALUES = 'write the values, one a line';

/** Lines that must all look alike before a list is taken for one of another kind. */
const TELLING_LINES = 5;

/** What a source of another program is, and what to type; undefined for anything else. */
export function otherProgram(text: string, kind: string): string | undefined {
  const all = text.split('\n', 200).map((line) => line.trim());
  const lines = all.filter((line) => line !== '' && !/^[#;]|^!$/.test(line)).slice(0, TELLING_LINES);
  const isText = /^(ua$|header\.|cookie\.|key$)/.test(kind);
  const [first = ''] = lines;
  const other = OTHERS.find(
    ({ line, ...other }) =>
      (!isText || other.isText) &&
      (!other.isOnlyLine || lines.length === 1) &&
      (line.test(first) || (all[0]?.startsWith('#') && line.test(all[0]))),
  );
  if (other !== undefined) return `${other.is}: ${isText && / import -$/.test(other.type) ? VALUES : other.type}`;
  return counted(lines, kind) ?? (isText ? undefined : otherKind(lines, kind));
}

/** Counts before values. Before addresses they are read. */
function counted(lines: readonly string[], kind: string): string | undefined {
  if (kind === 'ip' || lines.length === 0 || !lines.every((line) => /^\d+\s+\S/.test(line))) return undefined;
  return `what uniq -c prints: sed 's/^ *[0-9]* //' FILE | haverdict import - --kind ${kind}`;
}

/** Lists whose values are of another kind than that of the command. */
function otherKind(lines: readonly string[], kind: string): string | undefined {
  const areAll = (isIt: (line: string) => boolean) => lines.length > 0 && lines.every(isIt);
  if (kind === 'ip' && areAll((line) => isBlockedByHosts(line.split(/\s+/))))
    return 'a hosts file: --kind host reads its names';
  if (kind === 'ip' && areAll((line) => isLikely(line, 'host'))) return 'a list of host names: --kind host reads them';
  if (kind === 'ip' && areAll((line) => /^AS\d+\b/i.test(line)))
    return 'a list of autonomous systems: --kind asn reads their numbers';
  if (areAll((line) => /^[a-z]{2,10}:\/\//i.test(line)))
    return `a list of URLs: sed 's,^[a-z0-9]*://,,;s,/.*,,' FILE | sort -u | haverdict import -${kind === 'host' ? ' --kind host' : ''}`;
  return undefined;
}
