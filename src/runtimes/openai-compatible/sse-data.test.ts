import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SseData } from './sse-data.js';

const read = (pieces: Uint8Array[]): string[] => {
  const events = new SseData();
  return [...pieces.flatMap((piece) => events.push(piece)), ...events.end()];
};

const cutAt = (bytes: Buffer, cuts: number[]): Buffer[] => {
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
};

describe('SseData', () => {
  it('reads the same events wherever the bytes are cut', () => {
    const stream =
      '\uFEFF: hello\r\nevent: x\r\ndata: {"a":"zażółć 🦊"}\r\n\r\ndata:one\ndata: two\n\nid: 3\rdata: [DONE]\r\r';
    fc.assert(
      fc.property(fc.array(fc.nat(200), { maxLength: 12 }), (cuts) => {
        expect(read(cutAt(Buffer.from(stream), cuts))).toEqual(['{"a":"zażółć 🦊"}', 'one\ntwo', '[DONE]']);
      }),
    );
  });

  it('never crashes on any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 10 }), (pieces) => {
        for (const data of read(pieces)) expect(data).toBeTypeOf('string');
      }),
    );
  });

  it('refuses a line without end', () => {
    const events = new SseData();
    const megabyte = Buffer.alloc(1_048_576, 'x');
    expect(() => {
      for (let count = 0; count < 6; count += 1) events.push(megabyte);
    }).toThrowError(expect.objectContaining({ code: 'upstream_protocol' }));
  });
});
