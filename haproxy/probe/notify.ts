import { type TypedData, writeData } from '../../spop/data.ts';
import { encodeFrame, FrameType, NO_IDS } from '../../spop/frame.ts';
import { Writer } from '../../spop/writer.ts';

/** One value of a NOTIFY under the name of its argument. */
export interface SentArgument {
  readonly name: string;
  readonly value: TypedData;
}

const IDS = Uint8Array.of(1, 1);

/** HAPROXY-HELLO as HAProxy sends it to check a server, or before its first NOTIFY. */
export function encodeHaproxyHello(maxFrameSize: number, healthcheck: boolean): Uint8Array {
  const out = new Writer();
  writeData(out.text('supported-versions'), { type: 'string', value: '2.0' });
  writeData(out.text('max-frame-size'), { type: 'uint32', value: BigInt(maxFrameSize) });
  writeData(out.text('capabilities'), { type: 'string', value: healthcheck ? '' : 'pipelining' });
  if (healthcheck) writeData(out.text('healthcheck'), { type: 'bool', value: true });
  return encodeFrame(FrameType.haproxyHello, NO_IDS, out.finish());
}

/** A NOTIFY with one message, the first of its connection. */
export function encodeNotify(message: string, args: readonly SentArgument[]): Uint8Array {
  const out = new Writer().text(message).byte(args.length);
  for (const { name, value } of args) writeData(out.text(name), value);
  return encodeFrame(FrameType.notify, IDS, out.finish());
}
