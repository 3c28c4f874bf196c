import { lastOf, optionOf } from '../parse/proxy.ts';
import { hasNativeSpop } from '../versions.ts';
import type { Checks, Occurrence } from './check.ts';
import { type Installation, sentMessages } from './installation.ts';

const DEFAULT_BUFFER_BYTES = 16_384;
/** What HAProxy keeps free in a buffer for the length of a frame. */
const PREFIX_BYTES = 4;
const MIN_FRAME_BYTES = 256;
/** Arguments that are an address or a number, whatever the client sends. */
const FIXED_SIZE = /^(src|dst|src_port|dst_port|src_is_local|ssl_fc|status|bool|int|rand|date)\b/;

/** The options of the spoe-agent section, by what they cost with this agent. */
export const ENGINE_CHECKS = {
  'fragments-on': {
    severity: 'error',
    why: 'before HAProxy 3.1 a message that is too large makes it reconnect thousands of times a second instead of being an error of its own',
    write: 'no option send-frag-payload',
    find: (installation) => leftOn(installation, 'send-frag-payload'),
  },
  'async-on': {
    severity: 'warning',
    why: 'before HAProxy 3.1 an answer may come on another connection where an agent says so: a lost connection then costs the whole timeout',
    write: 'no option async',
    find: (installation) => leftOn(installation, 'async'),
  },
  'pipelining-off': {
    severity: 'warning',
    why: 'HAProxy opens a connection for each request that waits',
    write: 'option pipelining',
    *find({ engines }) {
      for (const { agent } of engines) {
        const option = optionOf(agent.lines, 'pipelining');
        if (option?.on === false) yield { place: option.line.place, what: 'pipelining is off' };
      }
    },
  },
  'error-rate-limited': {
    severity: 'error',
    why: 'before HAProxy 3.1, past so many errors a second it stops asking, and leaves no error behind: under policy open everything passes',
    write: 'no maxerrrate line in the spoe-agent',
    find: (installation) => limited(installation, 'maxerrrate'),
  },
  'connection-rate-limited': {
    severity: 'warning',
    why: 'before HAProxy 3.1, past so many new connections a second requests are errors, as after each reload',
    write: 'no maxconnrate line in the spoe-agent',
    find: (installation) => limited(installation, 'maxconnrate'),
  },
  'frame-size-small': {
    severity: 'error',
    why: 'a client that makes its headers longer than a frame is not asked about: under policy open it passes',
    write: 'max-frame-size <bytes>',
    *find({ engines, config }) {
      const largest = largestFrame(config);
      for (const engine of engines) {
        const line = lastOf(engine.agent.lines, 'max-frame-size');
        const bytes = Number(line?.words[1]);
        const grows = sentMessages(engine).some(({ args }) =>
          args.some(({ expression }) => !FIXED_SIZE.test(expression)),
        );
        if (line && bytes >= MIN_FRAME_BYTES && bytes < largest && grows)
          yield {
            place: line.place,
            what: `frames of ${bytes} bytes, requests of up to ${largest}`,
            values: { bytes: largest },
          };
      }
    },
  },
  'frame-size-invalid': {
    severity: 'error',
    why: 'HAProxy takes from 256 to tune.bufsize - 4, refuses the file, and stays on its older configuration',
    write: 'max-frame-size <bytes>',
    *find({ engines, config }) {
      const largest = largestFrame(config);
      for (const { agent } of engines) {
        const line = lastOf(agent.lines, 'max-frame-size');
        const bytes = Number(line?.words[1]);
        if (line && (bytes > largest || bytes < MIN_FRAME_BYTES))
          yield {
            place: line.place,
            what: `${bytes} is not from ${MIN_FRAME_BYTES} to ${largest}`,
            values: { bytes: largest },
          };
      }
    },
  },
  'errors-unlogged': {
    severity: 'warning',
    why: 'HAProxy says nothing when the agent cannot be asked: nobody notices that requests go unchecked',
    write: 'log global',
    *find({ engines }) {
      for (const { agent } of engines)
        if (!agent.lines.some(({ words }) => words[0] === 'log'))
          yield { place: agent.place, what: `spoe-agent ${agent.name} has no log` };
    },
  },
} satisfies Checks;

/** Both are on where nothing is said; from 3.1 there are none any more. */
function* leftOn({ engines, settings }: Installation, name: string): Iterable<Occurrence> {
  if (hasNativeSpop(settings.haproxy.version)) return;
  for (const { agent } of engines) {
    const option = optionOf(agent.lines, name);
    if (option?.on !== false) yield { place: option?.line.place ?? agent.place, what: `option ${name} is on` };
  }
}

function* limited({ engines, settings }: Installation, keyword: string): Iterable<Occurrence> {
  if (hasNativeSpop(settings.haproxy.version)) return;
  for (const { agent } of engines) {
    const line = lastOf(agent.lines, keyword);
    if (line) yield { place: line.place, what: line.words.join(' ') };
  }
}

function largestFrame({ global }: Installation['config']): number {
  const bytes = Number(lastOf(global, 'tune.bufsize')?.words[1] ?? DEFAULT_BUFFER_BYTES);
  return (Number.isNaN(bytes) ? DEFAULT_BUFFER_BYTES : bytes) - PREFIX_BYTES;
}
