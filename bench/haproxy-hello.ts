import { encodeFrame, FrameType, NO_IDS } from '../spop/frame.ts';
import { PayloadWriter } from '../spop/payload-writer.ts';

/** The HAPROXY-HELLO of HAProxy 2.6 with its default `tune.bufsize`. */
export function haproxyHello(): Uint8Array {
  const payload = new PayloadWriter()
    .text('supported-versions')
    .byte(8)
    .text('2.0')
    .text('max-frame-size')
    .byte(3)
    .varint(16_380);
  return encodeFrame(FrameType.haproxyHello, NO_IDS, payload.text('capabilities').byte(8).text('pipelining').finish());
}
