import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { withNote } from './ran-with-note.js';

const ran = { runtime: 'ollama', model: 'm', sent: {}, dropped: ['top_k'], clamped: [], unknown: [] };
const chunk = (content: string, finish: string | null = null) =>
  `data: ${JSON.stringify({ id: 'c', choices: [{ delta: { content }, finish_reason: finish }] })}\n\n`;
const stream = `: hello\n\n${chunk('Grüße "finish_reason": "no"')}${chunk('', 'stop')}${chunk('', 'stop')}data: [DONE]\n\n`;

const pass = (body: string | Buffer, size: number, type: string) => {
  const bytes = Buffer.from(body);
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  return text(withNote(Readable.from(pieces, { objectMode: false }), type, ran));
};

describe('withNote', () => {
  it.each([1, 7, 64, 10_000])('writes one note into a stream that comes in pieces of %i bytes', async (size) => {
    const noted = await pass(stream, size, 'text/event-stream; charset=utf-8');
    const lines = noted.split('\n').filter((line) => line.startsWith('data: {'));
    const chunks = lines.map((line) => JSON.parse(line.slice(6)));
    expect(chunks.map(({ venom }) => venom)).toEqual([undefined, { ran_with: ran }, undefined]);
    // Nothing else is changed.
    expect(noted.replace(`,"venom":${JSON.stringify({ ran_with: ran })}`, '')).toBe(stream);
  });

  it('writes it into a whole answer, and leaves alone what is none', async () => {
    expect(JSON.parse(await pass('{"id":"c","choices":[]}', 5, 'application/json'))).toEqual({
      id: 'c',
      choices: [],
      venom: { ran_with: ran },
    });
    expect(await pass('not json', 3, 'application/json')).toBe('not json');
    expect(await pass('[1]', 3, 'application/json')).toBe('[1]');
    expect(await pass('data: {"choices":[{"finish_reason": "cut', 9, 'text/event-stream')).toBe(
      'data: {"choices":[{"finish_reason": "cut',
    );
  });

  it('lets an answer beyond its bounds pass untouched', async () => {
    const line = `data: ${'x'.repeat(3_000_000)}\n\n${chunk('', 'stop')}`;
    expect((await pass(line, 65_536, 'text/event-stream')).startsWith(line.slice(0, 2_000_000))).toBe(true);
    const large = `{"a":"${'x'.repeat(17_000_000)}"}`;
    expect(await pass(large, 1_000_000, 'application/json')).toBe(large);
  });

  it('breaks off where the answer breaks off', async () => {
    const broken = new Readable({
      read() {
        this.push(chunk('half'));
        this.destroy(new Error('reset'));
      },
    });
    await expect(text(withNote(broken, 'text/event-stream', ran))).rejects.toThrow('reset');
  });
});
