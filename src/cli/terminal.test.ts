import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { formatBytes, Terminal, table } from './terminal.js';

function capture(json: boolean) {
  const out = new PassThrough();
  const error = new PassThrough();
  return {
    terminal: new Terminal(json, out, error),
    out: () => String(out.read() ?? ''),
    error: () => String(error.read() ?? ''),
  };
}

describe('Terminal', () => {
  it('prints nothing but one JSON document with --json', () => {
    const { terminal, out, error } = capture(true);
    terminal.note('starting');
    terminal.result({ running: true }, 'Venom is running');
    expect(out()).toBe('{"running":true}\n');
    expect(error()).toBe('');
  });

  it('keeps notes out of the answer, so that a pipe gets the answer alone', () => {
    const { terminal, out, error } = capture(false);
    terminal.note('starting');
    terminal.result({ running: true }, 'Venom is running');
    expect(out()).toBe('Venom is running\n');
    expect(error()).toBe('starting\n');
  });
});

describe('table', () => {
  it('aligns columns and leaves no blanks at line ends', () => {
    expect(
      table(
        ['NAME', 'SIZE'],
        [
          ['a', '1 MB'],
          ['longer', '2'],
        ],
      ),
    ).toBe('NAME    SIZE\na       1 MB\nlonger  2');
  });
});

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [98_362_432, '98.4 MB'],
    [253_113_024, '253 MB'],
    [1_500_000_000_000, '1.5 TB'],
  ])('%i is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));
});
