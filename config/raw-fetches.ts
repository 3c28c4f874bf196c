/** What HAProxy reads the path, the URL or the Host with, as the client spelled them (configuration.txt 7.3.6). */
const URL_FETCH =
  /^(?:path|pathq|base|base32|url|urlp|url_param|url32|query|capture\.req\.uri|HTTP_URL_\w+)(?:[_+.(,]\w*|$)/;
/** The same by the header Host, by all headers, or by the bytes of the request. */
const HOST_FETCH =
  /^(?:(?:req\.)?f?hdr(?:_\w+)?(?:\((?:\s*host\s*[,)]|\s*\))|[,]|$)|req\.hdrs(?:_bin)?\b|capture\.req\.hdr\b|(?:req\.)?payload|req\.buf)/i;
/** The name that the client asks TLS for, which need not be the Host of its requests. */
const SNI_FETCH = /^(?:ssl_fc_sni|req[._]ssl_sni)/;

/**
 * The fetch in these words of a test that reads what a client can spell in more ways than one: `//admin`, `/%61dmin` and
 * `/./admin` are `/admin` to most servers, and not to a test of the raw path. In TCP the name in TLS is all there is.
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
