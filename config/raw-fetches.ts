/** Fetches that read the path or the URL as the client spelled them (configuration.txt 7.3.6). */
const URL_FETCH =
  /^(?:path|pathq|base|base32|url|urlp|url_param|url32|query|capture\.req\.uri|HTTP_URL_\w+)(?:[_+.(,]\w*|$)/;
/** Fetches that read the Host, all headers, or the bytes of the request. */
const HOST_FETCH =
  /^(?:(?:req\.)?f?hdr(?:_\w+)?(?:\((?:\s*host\s*[,)]|\s*\))|[,]|$)|req\.hdrs(?:_bin)?\b|capture\.req\.hdr\b|(?:req\.)?payload|req\.buf)/i;
/** Fetches that read the server name in TLS, which may differ from the Host of the requests. */
const SNI_FETCH = /^(?:ssl_fc_sni|req[._]ssl_sni)/;

/**
 * The fetch among these words of a test that reads a value which clients can spell in several ways: `//admin`, `/%61dmin` and
 * `/./admin` are `/admin` to most servers, but not to a test of the raw path. In mode tcp, only TLS has a name.
 */
export function rawFetchIn(words: readonly string[], tcp = false): string | undefined {
  return words
    .map((word) => word.replace(/^!+/, '').replace(/^\{/, ''))
    .find((word) => URL_FETCH.test(word) || HOST_FETCH.test(word) || (!tcp && SNI_FETCH.test(word)));
}

/** The words of a condition that can be a fetch: the first one in braces, and names of ACLs. */
export function fetchesOf(condition: string): string[] {
  const fetches: string[] = [];
  let open = false;
  let first = false;
  for (const word of condition.split(/\s+/).filter((word) => word !== '')) {
    if (!open && /^!*\{/.test(word)) {
      open = true;
      first = true;
    } else if (open && word === '}') open = false;
    else if (!open || first) {
      fetches.push(word);
      first = false;
    }
  }
  return fetches;
}
