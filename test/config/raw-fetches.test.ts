import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fetchesOf, rawFetchIn } from '../../config/raw-fetches.ts';

const RAW = [
  ...['path', 'path_beg', 'path_dir', 'path_dom', 'path_end', 'path_len', 'path_reg', 'path_sub', 'pathq', 'query'],
  ...['path,lower', 'path,url_dec', 'path,field(2,/)', 'url', 'url_beg', 'url_dir', 'url,lower', 'url_param(x)'],
  ...[
    'urlp(x)',
    'urlp_reg(x)',
    'url_ip',
    'url32',
    'url32+src',
    'base',
    'base_beg',
    'base32',
    'base32+src',
    'base,lower',
  ],
  ...[
    'hdr(host)',
    'HDR(Host)',
    'hdr(Host,1)',
    'hdr_dom(host)',
    'hdr_beg(host)',
    'req.hdr(host)',
    'req.fhdr(host),lower',
  ],
  ...[
    'req.hdr(host,-1)',
    'hdr_ip(host)',
    'req.hdrs',
    'req.hdr',
    'capture.req.uri',
    'capture.req.hdr(0)',
    'HTTP_URL_ABS',
  ],
  ...['ssl_fc_sni', 'ssl_fc_sni_end', 'req.ssl_sni', 'req_ssl_sni', 'payload(0,9)', 'req.payload(0,9)'],
];

const FINE = [
  ...['src', 'src,ipmask(24)', 'method', 'METH_POST', 'TRUE', 'HTTP', 'HTTP_1.1', 'hdr(x-api-key)', 'req.fhdr(x-host)'],
  ...[
    'hdr_cnt(x-hosts)',
    'hdr(hostname)',
    'ssl_fc',
    'dst_port',
    'fc_http_major',
    'var(txn.path)',
    'req.cook(path)',
    'be_name',
  ],
  ...['paths', 'baseline', 'urls', 'internal', 'ssl_c_verify', 'status', 'req.ver', 'rand(100)', 'nbsrv(path)'],
];

describe('a condition', () => {
  for (const fetch of RAW)
    it(`that reads ${fetch} reads what the client spelled`, () => {
      for (const condition of [`{ ${fetch} /admin }`, `!{ ${fetch} -m found }`, `METH_POST ! { ${fetch} x } or TRUE`])
        assert.equal(rawFetchIn(fetchesOf(condition)), fetch, condition);
    });

  for (const fetch of FINE)
    it(`that reads ${fetch} does not`, () =>
      assert.equal(rawFetchIn(fetchesOf(`{ ${fetch} path } or !${fetch}`)), undefined));

  it('may read the name in TLS where there is no request', () => {
    assert.equal(rawFetchIn(['req.ssl_sni'], true), undefined);
    assert.equal(rawFetchIn(['path'], true), 'path');
  });
});
