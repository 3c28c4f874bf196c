import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type CollectedOptions, collected } from '../../support/collected.ts';

/** A source as people have it, and the subjects that must come out, or a part of the one line that says why none does. */
type Case = readonly [what: string, source: string, options: CollectedOptions, comesOut: readonly string[] | RegExp];

const CASES: Readonly<Record<string, readonly Case[]>> = {
  'that decides too much is refused': [
    [
      'NDJSON with allows, redirects and headers',
      '{"ip":"203.0.113.7","reason":"scanner"}\n{"ip":"198.51.100.0/24","action":"allow"}\n{"subject":"country:XX","action":"allow"}\n{"subject":"host:shop.example","action":"redirect","status":302,"vars":{"location":"https://elsewhere.example/"}}\n{"ip":"203.0.113.8","action":"tag","vars":{"req.set.x-user":"admin"}}\n',
      { name: 'a.ndjson' },
      /^nothing was written: 4 of 5 lines .*--trust allow,country,host,redirect,status,tag,var.location,var.req.set.x-user$/,
    ],
    [
      'other kinds',
      '203.0.113.7\ncountry:XX\nhost:shop.example\npath:/login\nasn:64500\n',
      {},
      /^nothing was written: 4 of 5 lines .*--trust asn,country,host,path$/,
    ],
    ['a table with allows', 'ip,action\n203.0.113.7,deny\n198.51.100.9,allow\n', { name: 'a.csv' }, /--trust allow$/],
    [
      'an allow among words of others',
      'ip,action,rule\n203.0.113.7,block,a\n198.51.100.9,allow,b\n',
      { name: 'a.csv' },
      /^nothing was written: 1 of 2 lines .*--trust allow$/,
    ],
    [
      'the same with the line skipped',
      'ip,action,rule\n203.0.113.7,BLOCK,a\n203.0.113.8,banned,b\n198.51.100.9,allow,b\n',
      { name: 'a.csv', skipInvalid: true },
      ['ip:203.0.113.7', 'ip:203.0.113.8'],
    ],
    [
      'and in a network that it blocks',
      'ip,action\n203.0.113.0/24,block\n203.0.113.9,allow\n',
      { name: 'a.csv', skipInvalid: true },
      /exempts ip:203.0.113.9 and blocks ip:203.0.113.0\/24/,
    ],
    [
      'words that say neither',
      'ip,action\n203.0.113.7,monitor\n203.0.113.8,captcha\n',
      { name: 'a.csv', skipInvalid: true },
      /^nothing was written: 2 of 2/,
    ],
    ['a kind in JSON', '["203.0.113.7","asn:64500"]', { name: 'a.json' }, /--trust asn$/],
  ],
  'that exempts is refused': [
    [
      'an ACL of Fastly',
      '[{"id":"a1","ip":"203.0.113.0","subnet":24,"negated":"0","comment":"scanners"},{"id":"a2","ip":"203.0.113.77","subnet":null,"negated":"1"}]',
      { name: 'a.json' },
      /^nothing was written: 1 of 2 items/,
    ],
    [
      'the same with the line skipped',
      '[{"ip":"203.0.113.0","subnet":24,"negated":"0"},{"ip":"203.0.113.77","subnet":null,"negated":"1"}]',
      { name: 'a.json', skipInvalid: true },
      /exempts ip:203.0.113.77 and blocks ip:203.0.113.0\/24/,
    ],
    [
      'and is read where nothing is exempt',
      '[{"ip":"203.0.113.0","subnet":24,"negated":"0"}]',
      { name: 'a.json' },
      ['ip:203.0.113.0/24'],
    ],
    [
      'a range that is exempt',
      'ip,whitelisted\n203.0.113.4-203.0.113.9,1\n203.0.113.0/24,0\n',
      { name: 'a.csv', skipInvalid: true },
      /an invalid line exempts a subject/,
    ],
    [
      'an IPv6 network that is exempt',
      'ip,whitelisted\n2001:db8::/126,1\n2001:db8::/64,0\n',
      { name: 'a.csv', skipInvalid: true },
      /an invalid line exempts a subject/,
    ],
  ],
  'of agents is read in whole lines': [
    [
      'with semicolons',
      'Mozilla/5.0 (compatible; ExampleBot/1.0 ; +https://bot.example/about)\nWatchExample (http://watch.example/ ; HQ)\nPlainBot/1.0\n',
      { kind: 'ua' },
      [
        'ua:Mozilla/5.0 (compatible; ExampleBot/1.0 ; +https://bot.example/about)',
        'ua:PlainBot/1.0',
        'ua:WatchExample (http://watch.example/ ; HQ)',
      ],
    ],
    ['with hashes', 'Bot #1\nBot # 2 ; 3\n', { kind: 'ua' }, ['ua:Bot # 2 ; 3', 'ua:Bot #1']],
    [
      'with what looks like a hosts file or a range',
      '0.0.0.0 bot\n203.0.113.1-203.0.113.9\n',
      { kind: 'header.x-agent' },
      ['header.x-agent:0.0.0.0 bot', 'header.x-agent:203.0.113.1-203.0.113.9'],
    ],
    ['in a table, with blanks around', 'User-Agent,n\n"a; b",1\n', { kind: 'ua', name: 'a.csv' }, ['ua:a; b']],
  ],
  'of names of agents': [
    [
      'is read as names',
      'ExampleBot\nexample-spider\nExample\\ Harvester\nbot\\.example\n[wW]getter\n"?\nFetch/\n',
      { kind: 'ua', contains: true, skipInvalid: true },
      [
        'ua:*bot.example*',
        'ua:*example harvester*',
        'ua:*example-spider*',
        'ua:*examplebot*',
        'ua:*fetch/*',
        'ua:*wgetter*',
      ],
    ],
    [
      'is not read if a pattern says more',
      'ExampleBot\n^Sample.*Crawler\n',
      { kind: 'ua', contains: true },
      /^nothing was written: 1 of 2/,
    ],
    [
      'nor if nearly every browser has the word',
      'Mozilla\nFirefox\n1.0\n',
      { kind: 'ua', contains: true },
      /^nothing was written: 2 of 3 .* 1 more would block/,
    ],
    [
      'nor if a name has no such sign',
      'Owler (ows\\.eu\nx-\n',
      { kind: 'ua', contains: true },
      /^nothing was written: 2 of 2/,
    ],
    [
      'is read for headers too',
      '(?:\\b)Bad\\ Bot(?:\\b)\n',
      { kind: 'header.x-agent', contains: true },
      /nothing was written|header/,
    ],
    ['is only for kinds that have names', '203.0.113.7\n', { contains: true }, /--contains is for --kind ua/],
  ],
  'of small IPv6 networks and ranges is read as their addresses': [
    [
      'as people write them',
      '2001:db8::a/127\n2001:db8:0:1::174/126\n2001:db8::1-2001:db8::3\n2001:db8:7::/64\n',
      {},
      [
        'ip:2001:db8:0:1::174',
        'ip:2001:db8:0:1::175',
        'ip:2001:db8:0:1::176',
        'ip:2001:db8:0:1::177',
        'ip:2001:db8:7::/64',
        'ip:2001:db8::1',
        'ip:2001:db8::2',
        'ip:2001:db8::3',
        'ip:2001:db8::a',
        'ip:2001:db8::b',
      ],
    ],
    ['in a table', 'cidr,reason\n2001:db8::4/127,x\n', { name: 'a.csv' }, ['ip:2001:db8::4', 'ip:2001:db8::5']],
    [
      'in JSON',
      '[{"ip":"2001:db8::4","subnet":127},"2001:db8:1::-2001:db8:1:1:ffff:ffff:ffff:ffff"]',
      { name: 'a.json' },
      ['ip:2001:db8:1::/63', 'ip:2001:db8::4', 'ip:2001:db8::5'],
    ],
    ['in an ACL', '2001:db8::4/127 scanner\n', { name: 'a.acl' }, ['ip:2001:db8::4', 'ip:2001:db8::5']],
    ['in an IP set', '{"Addresses":["2001:db8::4/127"]}', { name: 'a.json' }, ['ip:2001:db8::4', 'ip:2001:db8::5']],
    ['up to a bound', '2001:db8::/119\n', {}, /^nothing was written: 1 of 1 line/],
  ],
  'with fields of others is read': [
    [
      'a table of MISP',
      'uuid,event_id,category,type,value,comment,to_ids,date\n0-1,11,Network activity,ip-dst,"203.0.113.7","",1,20260310\n0-2,11,Network activity,ip-src,"198.51.100.9","scanner",1,20260310\n',
      { name: 'a.csv' },
      ['ip:198.51.100.9', 'ip:203.0.113.7'],
    ],
    [
      'a status and a type',
      'ip,port,status,type\n203.0.113.7,8080,online,scanner\n198.51.100.9,443,offline,botnet\n',
      { name: 'a.csv' },
      ['ip:198.51.100.9', 'ip:203.0.113.7'],
    ],
    [
      'a type in NDJSON',
      '{"ip":"203.0.113.7","type":"ipv4"}\n{"ip":"203.0.113.8","type":"c2"}\n',
      {},
      ['ip:203.0.113.7', 'ip:203.0.113.8'],
    ],
    ['a status that is a word, in JSON', '[{"address":"203.0.113.7","status":"seen"}]', {}, ['ip:203.0.113.7']],
    ['but not a type that exempts', '[{"ip":"203.0.113.7","type":"whitelist"}]', {}, /^nothing was written/],
    ['nor a status that ends it', 'ip,status\n203.0.113.7,inactive\n', { name: 'a.csv' }, /^nothing was written/],
    [
      'nor another type of CrowdSec',
      '[{"value":"203.0.113.7","scope":"Ip","type":"captcha"}]',
      {},
      /^nothing was written/,
    ],
  ],
  'of addresses and counts is read': [
    [
      'after a tab',
      '# IP\tlists\n203.0.113.7\t10\n198.51.100.9\t9\n192.0.2.1\t3\n',
      {},
      ['ip:192.0.2.1', 'ip:198.51.100.9', 'ip:203.0.113.7'],
    ],
    ['after blanks', '203.0.113.7   1204\n2001:db8::1 7\n', {}, ['ip:2001:db8::1', 'ip:203.0.113.7']],
    ['of networks', '203.0.113.0/24\t5120\n', {}, ['ip:203.0.113.0/24']],
    ['but not a prefix length', '203.0.113.0\t24\n', {}, /^nothing was written/],
    ['nor a mask', '203.0.113.0 255.255.255.0\n', {}, /^nothing was written/],
    ['nor text of an unknown meaning', '203.0.113.7 seen twice\n', {}, /^nothing was written/],
    ['nor a flag', '203.0.113.7 0\n', {}, /^nothing was written/],
    ['nor an access log', '203.0.113.7 - - [10/Oct/2026:13:55:36 +0000] "GET / HTTP/1.1" 200 5\n', {}, /access log/],
  ],
  'of counts and addresses is read': [
    [
      'as uniq -c prints it',
      '     12 203.0.113.7\n      3 2001:db8::1\n1 198.51.100.0/24\n',
      {},
      ['ip:198.51.100.0/24', 'ip:2001:db8::1', 'ip:203.0.113.7'],
    ],
    ['but not where the count may exempt', '0 203.0.113.7\n1 203.0.113.8\n', {}, /1 of 2 lines cannot be read/],
    ['and not a length before a network', '24 203.0.113.0\n', {}, /1 of 1 line cannot be read/],
    ['and not two numbers', '3 7 203.0.113.7\n', {}, /1 of 1 line cannot be read/],
  ],
  'of one column under its heading is read': [
    ['of addresses', 'IP\n203.0.113.7\n', {}, ['ip:203.0.113.7']],
    ['with a name of two words', '\ufeffIP Address\r\n203.0.113.7\r\n', {}, ['ip:203.0.113.7']],
    ['in quotes', '"ip"\n"203.0.113.7"\n"198.51.100.9"\n', {}, ['ip:198.51.100.9', 'ip:203.0.113.7']],
    ['of networks', '# from 2026\nCIDR\n203.0.113.0/24\n', {}, ['ip:203.0.113.0/24']],
  ],
  'that nft prints as JSON is read': [
    [
      'with networks and ranges',
      '{"nftables":[{"metainfo":{}},{"set":{"name":"bad","flags":["interval"],"elem":["203.0.113.7",{"prefix":{"addr":"198.51.100.0","len":24}},{"range":["192.0.2.4","192.0.2.7"]}]}}]}',
      {},
      ['ip:192.0.2.4/30', 'ip:198.51.100.0/24', 'ip:203.0.113.7'],
    ],
    ['or has nothing', '{"nftables":[{"metainfo":{}},{"set":{"name":"bad"}}]}', {}, []],
    ['unless it has no set', '{"nftables":[{"metainfo":{}}]}', {}, /nft -j list set FAMILY TABLE SET prints one$/],
    ['or no list of elements', '{"nftables":[{"set":{"name":"bad","elem":"x"}}]}', {}, /not a set of nftables/],
    [
      'or is a set of exemptions',
      '{"nftables":[{"set":{"name":"white-list-allow","elem":["203.0.113.7"]}}]}',
      {},
      /not blocked$/,
    ],
  ],
  'with ports is read as addresses': [
    ['of IPv4', '203.0.113.7:8080\n198.51.100.9:3128\n', {}, ['ip:198.51.100.9', 'ip:203.0.113.7']],
    ['of IPv6', '[2001:db8::1]:443\n[2001:db8::2]\n', {}, ['ip:2001:db8::1', 'ip:2001:db8::2']],
    ['in a table', 'ip,n\n203.0.113.7:80,1\n', { name: 'a.csv' }, ['ip:203.0.113.7']],
    ['in JSON', '["203.0.113.7:80"]', {}, ['ip:203.0.113.7']],
    ['but no network has one', '203.0.113.0/24:80\n', {}, /^nothing was written/],
  ],
  'that is a table with other headings is read': [
    [
      'named as the kind',
      'ASN,Entity\n64500,"EXAMPLE-ONE, Inc."\n64501, "EXAMPLE-TWO, Inc."\n',
      { kind: 'asn', name: 'a.csv' },
      ['asn:64500', 'asn:64501'],
    ],
    [
      'of fingerprints',
      'JA4,User Agent\nt13d1516h2_8daaf6152771_b186095e22b6,example/1.0\n',
      { kind: 'ja4', name: 'a.csv' },
      ['ja4:t13d1516h2_8daaf6152771_b186095e22b6'],
    ],
    ['of domains', 'rank;domain\n1;evil.example\n', { kind: 'host', name: 'a.csv' }, ['host:evil.example']],
    ['of countries', 'country_code\tname\nXX\tNowhere\n', { kind: 'country', name: 'a.csv' }, ['country:XX']],
    ['of a header', 'X-Agent,n\nbad,1\n', { kind: 'header.x-agent', name: 'a.csv' }, ['header.x-agent:bad']],
    [
      'with a column that is named',
      '"first_seen_utc","dst_ip","dst_port","c2_status"\n"2026-01-01 10:00:00","203.0.113.7","8080","online"\n',
      { name: 'a.csv', column: 'dst_ip' },
      ['ip:203.0.113.7'],
    ],
    [
      'and says how, where none is',
      '"first_seen_utc","dst_ip","dst_port","c2_status"\n"2026-01-01 10:00:00","203.0.113.7","8080","online"\n',
      { name: 'a.csv' },
      /^a.csv:1 .* is not a table heading .* --column dst_ip$/,
    ],
    [
      'where a number is no name',
      '64500,Example\n',
      { name: 'a.csv', kind: 'asn' },
      /^a.csv:1 .* is not a table heading .* --column 1$/,
    ],
    [
      'or a value is none',
      '3,DE\n',
      { name: 'a.csv', kind: 'country' },
      /^a.csv:1 .* is not a table heading .* --column 2$/,
    ],
    [
      'as that is of countries',
      'DE,3\nAT,4\n',
      { name: 'a.csv', kind: 'country', column: '1' },
      ['country:AT', 'country:DE'],
    ],
    ['of methods', '3,TRACE\n', { name: 'a.csv', kind: 'method', column: '2' }, ['method:TRACE']],
    ['of paths', '/wp-login.php,3\n', { name: 'a.csv', kind: 'path', column: '1' }, ['path:/wp-login.php']],
    ['and of numbers', '64500,Example\n', { name: 'a.csv', kind: 'asn', column: '1' }, ['asn:64500']],
    ['with a column that is counted', 'when,who\n2026,203.0.113.7\n', { column: '2' }, ['ip:203.0.113.7']],
    [
      'unless there is no such column',
      'when,who\n2026,203.0.113.7\n',
      { column: 'ip' },
      /has no column ip: its columns are when, who$/,
    ],
    ['or it is no table', '["203.0.113.7"]', { format: 'json', column: 'ip' }, /only csv has columns/],
  ],
  'that is a table without heading is read': [
    [
      'with notes',
      '203.0.113.7,office scanner\n198.51.100.0/24,\n',
      { name: 'a.csv' },
      ['ip:198.51.100.0/24', 'ip:203.0.113.7'],
    ],
    [
      'whatever its name',
      '203.0.113.7,US,New York\n2001:db8::/32,DE,\n',
      { name: 'geofeed.txt' },
      ['ip:2001:db8::/32', 'ip:203.0.113.7'],
    ],
    ['with the address further on', '2026-01-01,203.0.113.7,x\n', { name: 'a.csv' }, ['ip:203.0.113.7']],
    [
      'of domains',
      '1,evil.example\n2,worse.example\n',
      { kind: 'host', name: 'top.csv' },
      ['host:evil.example', 'host:worse.example'],
    ],
    ['but not with a range in two cells', '203.0.113.0,203.0.113.255\n', { name: 'a.csv' }, /^nothing was written/],
    ['nor with a prefix length', '203.0.113.0,24\n', { name: 'a.csv' }, /^nothing was written/],
    [
      'nor with a word that exempts',
      '203.0.113.7,allow\n',
      { name: 'a.csv', skipInvalid: true },
      /^nothing was written/,
    ],
  ],
  'that is a hosts file is read as its names': [
    [
      'without those of this host',
      '# hosts file\n127.0.0.1 localhost\n::1 localhost\n0.0.0.0 ads.example\n0.0.0.0 tracker.example # seen 2026\n',
      { kind: 'host' },
      ['host:ads.example', 'host:tracker.example'],
    ],
    [
      'with several names a line',
      '127.0.0.1\tlocalhost localhost.localdomain\n127.0.0.1\tads.example www.ads.example\nfe80::1%lo0 localhost\nff02::1 ip6-allnodes\n255.255.255.255 broadcasthost\n0.0.0.0 0.0.0.0\n:: six.example\n',
      { kind: 'host' },
      ['host:ads.example', 'host:six.example', 'host:www.ads.example'],
    ],
    [
      'and a plain list of domains as well',
      'ads.example\n.tracker.example\n*.cdn.example\n',
      { kind: 'host' },
      ['host:*.cdn.example', 'host:*.tracker.example', 'host:ads.example', 'host:tracker.example'],
    ],
    [
      'without the name of the host itself, as Debian and others have it',
      '127.0.0.1 localhost shop\n::1 localhost ip6-localhost shop.example\n127.0.1.1 shop.example shop\n0.0.0.0 ads.example\n',
      { kind: 'host' },
      ['host:ads.example'],
    ],
    [
      'with what 0.0.0.0 has beside localhost',
      '0.0.0.0 localhost ads.example\n',
      { kind: 'host' },
      ['host:ads.example'],
    ],
    ['but not one that leads to a server', '203.0.113.7 shop.example\n', { kind: 'host' }, /^nothing was written/],
    [
      'and says so where addresses are wanted',
      '127.0.0.1 localhost\n0.0.0.0 ads.example\n',
      {},
      /hosts file.*--kind host/,
    ],
  ],
  'that is JSON with exemptions': [
    [
      'names only the rest',
      '{"allow":["192.0.2.1"],"deny":["203.0.113.7"]}',
      {},
      /has subjects at deny\[\], which --field 'deny\[\]' reads$/,
    ],
    ['names none where all are', '{"whitelist":["192.0.2.1"]}', {}, /its fields are whitelist$/],
    [
      'is not read as any name',
      '{"lists":{"allow":["192.0.2.1"],"deny":["203.0.113.7"]}}',
      { field: 'lists.*[]' },
      /has allow among what \* stands for, which is exempt: name the others/,
    ],
    [
      'is not read beside them',
      '{"networks":["203.0.113.0/24"],"exceptions":["203.0.113.7"]}',
      { field: 'networks[]' },
      /exceptions "203.0.113.7" exempts the subject from blocking: .* --ignore exceptions/,
    ],
    [
      'nor in an object of them',
      '{"deny":["203.0.113.7"],"lists":{"allow":{"ips":["192.0.2.1"]}}}',
      { field: 'lists.*.ips[]' },
      /allow among what \* stands for/,
    ],
    [
      'but where they are ignored',
      '{"allow":["192.0.2.1"],"deny":["203.0.113.7"]}',
      { field: 'deny[]', ignore: ['allow'] },
      ['ip:203.0.113.7'],
    ],
    ['or empty', '{"exceptions":[],"deny":["203.0.113.7"]}', { field: 'deny[]' }, ['ip:203.0.113.7']],
    ['or named', '{"allow":["192.0.2.1"],"deny":["203.0.113.7"]}', { field: 'allow[]' }, ['ip:192.0.2.1']],
  ],
  'that is JSON of another form': [
    [
      'says where its subjects are',
      '{"syncToken":"1","prefixes":[{"ip_prefix":"203.0.113.0/24","service":"EC2"}],"ipv6_prefixes":[{"ipv6_prefix":"2001:db8::/32"}]}',
      {},
      /--field 'prefixes\[\].ip_prefix,ipv6_prefixes\[\].ipv6_prefix' reads$/,
    ],
    [
      'is read there',
      '{"syncToken":"1","prefixes":[{"ip_prefix":"203.0.113.0/24","service":"EC2"}],"ipv6_prefixes":[{"ipv6_prefix":"2001:db8::/32"}]}',
      { field: 'prefixes[].ip_prefix,ipv6_prefixes[].ipv6_prefix' },
      ['ip:2001:db8::/32', 'ip:203.0.113.0/24'],
    ],
    [
      'also where only some have the field',
      '{"prefixes":[{"ipv4Prefix":"203.0.113.0/24"},{"ipv6Prefix":"2001:db8::/32"}]}',
      { field: 'prefixes[].ipv4Prefix,prefixes[].ipv6Prefix' },
      ['ip:2001:db8::/32', 'ip:203.0.113.0/24'],
    ],
    [
      'also in arrays of text',
      '{"hooks":["203.0.113.0/24"],"web":["198.51.100.0/24"],"verified":false}',
      { field: 'hooks,web[]' },
      ['ip:198.51.100.0/24', 'ip:203.0.113.0/24'],
    ],
    [
      'also under any name',
      '{"1":[{"ioc":"203.0.113.7:80"}],"2":[{"ioc":"203.0.113.8:80"}]}',
      { field: '*[].ioc' },
      ['ip:203.0.113.7', 'ip:203.0.113.8'],
    ],
    [
      'also deep inside',
      '{"response":[{"Event":{"published":true,"Attribute":[{"type":"ip-dst","value":"203.0.113.7","to_ids":true,"deleted":false}]}}]}',
      { field: 'response[].Event.Attribute[].value' },
      ['ip:203.0.113.7'],
    ],
    [
      'also line by line',
      '{"src":{"ip":"203.0.113.7"}}\n{"src":{"ip":"203.0.113.8"}}\n',
      { field: 'src.ip' },
      ['ip:203.0.113.7', 'ip:203.0.113.8'],
    ],
    [
      'with the fields beside it',
      '{"acl":[{"net":"203.0.113.0","subnet":24}]}',
      { field: 'acl[].net' },
      ['ip:203.0.113.0/24'],
    ],
    [
      'but not against them',
      '{"acl":[{"net":"203.0.113.0","negated":true}]}',
      { field: 'acl[].net' },
      /^nothing was written/,
    ],
    [
      'nor against those around',
      '{"list":{"disabled":true,"ips":["203.0.113.7"]}}',
      { field: 'list.ips' },
      /disabled "true" marks the entry as inactive/,
    ],
    [
      'nor where there is nothing',
      '{"list":["203.0.113.7"]}',
      { field: 'lists[]' },
      /^list.txt has nothing at lists\[\]: it has subjects at list\[\], which --field 'list\[\]' reads$/,
    ],
    [
      'as a list of warnings is',
      '{"name":"warning list","type":"cidr","list":["203.0.113.0/24","2001:db8::/32"]}',
      {},
      /--field 'list\[\]' reads$/,
    ],
    [
      'as objects with other fields are',
      '[{"ip_address":"203.0.113.7","port":443}]',
      {},
      /^nothing was written: 1 of 1 item/,
    ],
    [
      'and what has none says what it has',
      '{"message":"Not Found","documentation_url":"https://docs.example"}',
      {},
      /its fields are message, documentation_url$/,
    ],
  ],
  'that is a stream of CrowdSec is read': [
    [
      'with what is new',
      '{"deleted":null,"new":[{"duration":"3h49m55.067403477s","id":1,"origin":"cscli","scenario":"manual","scope":"Ip","type":"ban","value":"203.0.113.7"}]}',
      {},
      ['ip:203.0.113.7'],
    ],
    [
      'without what is deleted',
      '{"deleted":[{"duration":"-1s","id":1,"origin":"cscli","scenario":"manual","scope":"Ip","type":"ban","value":"203.0.113.8"}],"new":[{"duration":"4h","id":2,"origin":"CAPI","scenario":"x","scope":"Range","type":"ban","value":"203.0.113.0/30"}]}',
      {},
      ['ip:203.0.113.0/30'],
    ],
    ['also if it is empty', '{"deleted":null,"new":null}', {}, []],
    [
      'but not what is no ban',
      '{"deleted":[],"new":[{"duration":"4h","id":2,"origin":"CAPI","scenario":"x","scope":"Ip","type":"captcha","value":"203.0.113.7"}]}',
      {},
      /^nothing was written/,
    ],
  ],
  'that ipset saved is read': [
    [
      'whatever its name',
      'create bad hash:net family inet hashsize 1024 maxelem 65536\nadd bad 203.0.113.7\nadd bad 198.51.100.0/24 timeout 600\nadd bad 192.0.2.1 comment "seen; 2026"\n',
      { name: 'bad.ipset' },
      ['ip:192.0.2.1', 'ip:198.51.100.0/24', 'ip:203.0.113.7'],
    ],
    [
      'without its first line',
      'add bad 203.0.113.1-203.0.113.2\nadd bad 2001:db8::1 packets 1 bytes 60\n',
      {},
      ['ip:2001:db8::1', 'ip:203.0.113.1', 'ip:203.0.113.2'],
    ],
    [
      'but not entries for a port',
      'create bad hash:ip,port family inet\nadd bad 203.0.113.7,tcp:80\n',
      {},
      /^nothing was written/,
    ],
    [
      'nor what it exempts',
      'add bad 203.0.113.0/24\nadd bad 203.0.113.7 nomatch\n',
      { skipInvalid: true },
      /exempts ip:203.0.113.7 and blocks/,
    ],
    ['nor several sets', 'add bad 203.0.113.7\nadd worse 203.0.113.8\n', {}, /has the sets bad and worse: save one/],
    [
      'nor a list of those who pass',
      'create whitelist hash:ip\nadd whitelist 203.0.113.7\n',
      { skipInvalid: true },
      /^nothing was written/,
    ],
  ],
  'of a running HAProxy is read': [
    [
      'its ACL',
      '# id (file) description\n0x55d0c5b0a2c0 203.0.113.7\n0x55d0c5b0a340 198.51.100.0/24\n',
      {},
      ['ip:198.51.100.0/24', 'ip:203.0.113.7'],
    ],
    [
      'its map',
      '0x55d0c5b0a2c0 203.0.113.7 scanner\n0x55d0c5b0a340 198.51.100.9 abuse\n',
      {},
      ['ip:198.51.100.9', 'ip:203.0.113.7'],
    ],
    ['whatever the file is called', '0x7f0a 203.0.113.7\n', { name: 'blocked.acl' }, ['ip:203.0.113.7']],
    [
      'but not its stick table',
      '# table: st, type: ip, size:1048576, used:1\n0x55d0: key=203.0.113.7 use=0 exp=1000 shard=0 gpc0=1\n',
      {},
      /stick table/,
    ],
  ],
};

describe('a source', () => {
  for (const [what, cases] of Object.entries(CASES))
    for (const [which, source, options, comesOut] of cases)
      it(`${what}: ${which}`, async () => {
        const { subjects, error, said } = await collected(source, options);
        if (Array.isArray(comesOut)) assert.deepEqual([error, subjects], [undefined, comesOut], said.join('\n'));
        else assert.match(error ?? `read as ${subjects.join(' ')}`, comesOut as RegExp);
        for (const line of said) assert.doesNotMatch(line, /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
      });

  it('has its texts cut alike in every format', async () => {
    const long = 'long '.repeat(60);
    const two = 'two\r\nlines\u0007';
    const json = (texts: readonly string[]) => texts.map((reason, at) => ({ ip: `203.0.113.${at}`, reason }));
    const sources: readonly (readonly [string, string])[] = [
      ['a.csv', `ip,reason\n203.0.113.0,${long}\n203.0.113.1,"${two}"\n`],
      ['a.json', JSON.stringify(json([long, two]))],
      [
        'a.ndjson',
        json([long, two])
          .map((one) => `${JSON.stringify(one)}\n`)
          .join(''),
      ],
      [
        'a.json',
        JSON.stringify(
          [long, two].map((scenario, at) => ({
            scenario,
            value: `203.0.113.${at}`,
            scope: 'Ip',
            type: 'ban',
            duration: '4h',
          })),
        ),
      ],
      ['a.map', `203.0.113.0 ${long}\n203.0.113.1 two lines\n`],
    ];
    for (const [name, text] of sources) {
      const { reasons } = await collected(text, { name });
      assert.deepEqual(reasons, [long.slice(0, 199), 'two lines'], text.slice(0, 40));
    }
  });

  it('has what stands behind a comment sign as notes, which HAProxy is not told', async () => {
    const sources: readonly (readonly [name: string, text: string])[] = [
      ['a.acl', '# ours\n203.0.113.7 # seen by J. Doe\n198.51.100.0/24\t# whole provider\n'],
      ['a.map', '203.0.113.7 deny # seen by J. Doe\n198.51.100.0/24 deny ; whole provider\n'],
      ['a.txt', '203.0.113.7 # seen by J. Doe\n198.51.100.0/24;whole provider\n'],
      ['a.txt', '203.0.113.7\t12 # seen by J. Doe\n198.51.100.0/24 7 # whole provider\n'],
      ['a.ipset', 'add bad 203.0.113.7 comment "seen by J. Doe"\nadd bad 198.51.100.0/24 comment "whole provider"\n'],
    ];
    for (const [name, text] of sources) {
      const { subjects, notes, reasons, error } = await collected(text, { name });
      assert.deepEqual([error, subjects], [undefined, ['ip:198.51.100.0/24', 'ip:203.0.113.7']], text);
      assert.deepEqual(
        [notes, reasons],
        [
          ['whole provider', 'seen by J. Doe'],
          [undefined, undefined],
        ],
        text,
      );
    }
  });

  it('that is a table without heading has the other cells as notes', async () => {
    const { notes, subjects } = await collected('203.0.113.7,US,"New\nYork"\n203.0.113.8,,\n', { name: 'a.csv' });
    assert.deepEqual(
      [subjects, notes],
      [
        ['ip:203.0.113.7', 'ip:203.0.113.8'],
        ['US, New York', undefined],
      ],
    );
  });
});
