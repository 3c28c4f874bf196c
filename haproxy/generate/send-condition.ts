import type { MessageSettings } from '../../config/settings.ts';
import { arrivalOf, isConnectionGroup } from '../client-bytes.ts';
import { HAS_ONE_HOST, HAS_PATH, IS_HOST, ODD_PATHS, refusesAmbiguous, refusesOddPaths } from './ambiguous-requests.ts';
import { bothConditions } from './syntax.ts';

/** Which requests a message is sent for; without a condition, all of them. */
export interface SendCondition {
  /** ACL lines that the condition needs in its section. */
  readonly acls: readonly string[];
  readonly condition?: string;
}

/**
 * The path as the agent reads it if odd paths are refused: the only other spellings are percent-encodings and empty segments.
 * The agent is asked about a path that cannot be decoded, such as `/admin/%zz`.
 */
export const DECODED_PATH = 'path,url_dec,regsub(/+,/,g)';
const UNDECODABLE = "path -m reg '%([^0-9A-Fa-f]|$|[0-9A-Fa-f]([^0-9A-Fa-f]|$))'";

export function sendConditionOf(message: MessageSettings): SendCondition {
  const { condition, paths, hosts } = message;
  const ofPaths = paths === undefined ? undefined : pathAcls(message, paths);
  const ofHosts = hosts === undefined ? undefined : hostAcls(message, hosts);
  const arrived =
    isConnectionGroup(message) && !condition?.includes(arrivalOf(message)) ? arrivalOf(message) : undefined;
  const all = [inFrontends(message), condition, ofPaths?.condition, ofHosts?.condition, arrived].filter(
    (one) => one !== undefined,
  );
  return {
    acls: [...(ofPaths?.acls ?? []), ...(ofHosts?.acls ?? [])],
    ...(all.length > 0 && { condition: all.reduce((before, next) => bothConditions(before, next)) }),
  };
}

/** The test that this is a frontend of the message; undefined if it is sent in all of them. */
export function inFrontends({ frontends }: Pick<MessageSettings, 'frontends'>): string | undefined {
  return frontends && `{ fe_name -m str ${frontends.join(' ')} }`;
}

/** An odd path could be any path: if it is not refused, the agent is asked and decides which it is. */
function pathAcls(message: MessageSettings, paths: readonly string[]): Required<SendCondition> {
  const name = `haverdict-paths-${message.name}`;
  const exact = paths.filter((path) => !path.endsWith('/*'));
  const folders = paths.filter((path) => path.endsWith('/*')).map((path) => path.slice(0, -1));
  const tests = [
    ...linesOf(`${DECODED_PATH} -m str`, exact),
    ...linesOf(`${DECODED_PATH} -m beg`, folders),
    UNDECODABLE,
  ];
  if (refusesOddPaths(message)) return { acls: tests.map((test) => `acl ${name} ${test}`), condition: name };
  const acls = [...tests, ODD_PATHS].map((test) => `acl ${name} ${test}`);
  return { acls: [...acls, `acl haverdict-path ${HAS_PATH}`], condition: `${name} or !haverdict-path` };
}

function linesOf(test: string, paths: readonly string[]): string[] {
  const lines: string[] = [];
  for (const path of paths.map(decoded)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + path.length > MAX_LINE) lines.push(`${test} ${path}`);
    else lines[lines.length - 1] = `${last} ${path}`;
  }
  return lines;
}

/** An address in brackets has many spellings: if any address is listed, the agent is asked about all in brackets. */
function hostAcls(message: MessageSettings, hosts: readonly string[]): Required<SendCondition> {
  const name = `haverdict-hosts-${message.name}`;
  const spellings = hosts.flatMap((host) => {
    if (host.startsWith('*.')) return [`[a-z0-9_.-]+[.]${literal(host.slice(2))}`];
    if (host.startsWith('[')) return [ANY_IPV6];
    return /^[\d.]+$/.test(host) ? [literal(host), ANY_IPV6] : [literal(host)];
  });
  const tests = [...new Set(spellings)].map((spelling) => `req.fhdr(host) -m reg -i '^${spelling}[.]?(:[0-9]*)?$'`);
  const acls = tests.map((test) => `acl ${name} ${test}`);
  if (refusesAmbiguous(message)) return { acls, condition: name };
  const more = [`acl haverdict-one-host ${HAS_ONE_HOST}`, `acl haverdict-host ${IS_HOST}`];
  return { acls: [...acls, ...more], condition: `${name} or !haverdict-one-host or !haverdict-host` };
}

/** HAProxy takes 2048 bytes a line. */
const MAX_LINE = 1000;
const ANY_IPV6 = '[[][0-9a-f:.]+[]]';

function literal(host: string): string {
  return host.replaceAll('.', '[.]');
}

/** The bytes of a canonical path, as a word of HAProxy's configuration (configuration.txt 2.2). */
function decoded(path: string): string {
  return path.replace(/%([0-9A-F]{2})|[^A-Za-z0-9/._~-]/g, (found, hex: string | undefined) => {
    const byte = hex ?? found.charCodeAt(0).toString(16).padStart(2, '0').toUpperCase();
    return `\\x${byte}`;
  });
}
