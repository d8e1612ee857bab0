import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { formatBytes, Terminal, table } from './terminal.js';

function written(stream: PassThrough): string {
  let text = '';
  for (let piece = stream.read(); piece !== null; piece = stream.read()) text += piece;
  return text;
}

function capture(json: boolean, isTTY = false) {
  const out = Object.assign(new PassThrough(), { isTTY });
  const error = Object.assign(new PassThrough(), { isTTY });
  return {
    terminal: new Terminal(json, out, error),
    out: () => written(out),
    error: () => written(error),
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

  const HOSTILE = 'a\u001b]52;c;ZXZpbA==\u0007b\u009b2Jc\rd\u0008\u007f\te\r\nf\u001b[8m';
  const SEEN = 'a\u241b]52;c;ZXZpbA==\u2407b\ufffd2Jc\u240dd\u2408\u2421\te\r\nf\u241b[8m';

  it('shows a person what others wrote, and lets none of it steer the terminal', () => {
    const { terminal, out, error } = capture(false, true);
    terminal.result(null, HOSTILE);
    terminal.write(HOSTILE);
    terminal.note(HOSTILE);
    terminal.redraw([HOSTILE], 1);
    expect(out()).toBe(`${SEEN}\n${SEEN}`);
    expect(error()).toBe(`${SEEN}\n\u001b[1A\u001b[2K${SEEN}\n`);
  });

  it('gives a file or another program the text as it is', () => {
    const { terminal, out } = capture(false);
    terminal.write(HOSTILE);
    expect(out()).toBe(HOSTILE);
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
