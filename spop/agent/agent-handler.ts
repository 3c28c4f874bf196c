import { type AckActions, NO_ACTIONS } from '../ack-payload.ts';
import { decodeText } from '../cursor.ts';
import { Deadlines } from '../deadlines.ts';
import type { Frame } from '../frame.ts';
import { NotifyReader } from '../notify.ts';
import type { NotifyHandler } from '../notify-handler.ts';
import type { Clock } from '../transport.ts';
import { AgentError } from './agent-error.ts';
import { ArgumentReader } from './argument-reader.ts';
import { DeclaredMessage, type MessageFunction } from './message.ts';
import { type CallRules, type KnownMessage, MessageCall } from './message-call.ts';

/** Frames of all connections that wait for functions: what comes beyond them is answered by the fallback at once. */
export const MAX_WAITING_FRAMES = 32_768;

interface Served extends KnownMessage {
  readonly bytes: Uint8Array;
  readonly reader: ArgumentReader;
}

const NO_ARGUMENTS = {};

/** Answers NOTIFY frames with the variables that the functions for their messages set. */
export class AgentHandler implements NotifyHandler {
  readonly #messages: readonly Served[];
  readonly #deadlineMs: number;
  readonly #rules: CallRules;
  readonly #deadlines: Deadlines;
  readonly #reader = new NotifyReader();

  constructor(
    functions: Readonly<Record<string, MessageFunction | DeclaredMessage>>,
    deadlineMs: number,
    rules: CallRules,
    clock: Clock,
  ) {
    this.#messages = Object.entries(functions).map(([name, given]) => ({
      name,
      bytes: new TextEncoder().encode(name),
      vars: given instanceof DeclaredMessage ? given.vars : undefined,
      run: given instanceof DeclaredMessage ? given.run : given,
      reader: new ArgumentReader(given instanceof DeclaredMessage ? given.args : undefined),
    }));
    this.#deadlineMs = deadlineMs;
    this.#rules = rules;
    this.#deadlines = new Deadlines(clock);
  }

  answer(frame: Frame, receivedAtMs: number, maxAckPayload: number): AckActions | Promise<AckActions> {
    if (this.#deadlines.size >= MAX_WAITING_FRAMES) return this.overload(frame, receivedAtMs, maxAckPayload);
    const calls = this.#read(frame);
    let settled = () => {};
    for (const call of calls) if (call.actions === undefined) call.start(() => settled());
    if (calls.every(isAnswered)) return this.#encode(calls, maxAckPayload);
    return new Promise((resolve) => {
      const due = {
        dueAtMs: receivedAtMs + this.#deadlineMs,
        late: () => {
          for (const call of calls)
            if (!isAnswered(call)) call.fallBack('late', `not answered within ${this.#deadlineMs} ms`);
          resolve(this.#encode(calls, maxAckPayload));
        },
      };
      settled = () => {
        if (!calls.every(isAnswered)) return;
        this.#deadlines.delete(due);
        resolve(this.#encode(calls, maxAckPayload));
      };
      this.#deadlines.add(due);
    });
  }

  overload(frame: Frame, _receivedAtMs: number, maxAckPayload: number): AckActions {
    const calls = this.#read(frame);
    for (const call of calls)
      if (!isAnswered(call)) call.fallBack('overload', 'too many messages wait for their functions');
    return this.#encode(calls, maxAckPayload);
  }

  /** The whole frame is read before the first function runs: an invalid one throws. */
  #read(frame: Frame): MessageCall[] {
    const reader = this.#reader;
    const calls: MessageCall[] = [];
    reader.open(frame);
    while (reader.nextMessage()) {
      const served = this.#find(reader);
      if (served === undefined) continue;
      const args = served.reader.read(reader);
      const isSound = typeof args !== 'string';
      const call = new MessageCall(served, isSound ? args : NO_ARGUMENTS, this.#rules);
      if (!isSound) call.fallBack('arguments', args);
      calls.push(call);
    }
    return calls;
  }

  #find(reader: NotifyReader): Served | undefined {
    for (const served of this.#messages) if (reader.isNamed(served.bytes)) return served;
    const name = decodeText(reader.bytes.subarray(reader.messageAt, reader.messageEnd));
    const known = this.#messages.map(({ name }) => `"${name}"`).join(', ') || 'none';
    const text = `message "${name}" has no function, and is answered empty: functions are for ${known}`;
    this.#rules.report(new AgentError('unknown_message', text, name));
    return undefined;
  }

  #encode(calls: readonly MessageCall[], maxBytes: number): AckActions {
    const actions = joined(calls);
    if (actions.length <= maxBytes) return { full: actions, essential: actions };
    for (const call of calls)
      call.fallBack(
        'too_large',
        `its variables take ${actions.length} bytes of ${maxBytes}: set less, or let createAgent have pipelining: false`,
      );
    const instead = joined(calls);
    if (instead.length <= maxBytes) return { full: instead, essential: instead };
    this.#rules.report(new AgentError('fallback', `the fallback takes ${instead.length} bytes of ${maxBytes}`));
    return NO_ACTIONS;
  }
}

function isAnswered({ actions }: MessageCall): boolean {
  return actions !== undefined;
}

/** All messages of a frame are answered by one ACK. */
function joined(calls: readonly MessageCall[]): Uint8Array {
  const [only] = calls;
  if (calls.length === 1 && only?.actions !== undefined) return only.actions; // as nearly always
  const [first = NO_ACTIONS.full, ...more] = calls.map(({ actions = NO_ACTIONS.full }) => actions);
  const out = new Uint8Array(more.reduce((sum, { length }) => sum + length, first.length));
  out.set(first);
  more.reduce((at, actions) => {
    out.set(actions, at);
    return at + actions.length;
  }, first.length);
  return out;
}
