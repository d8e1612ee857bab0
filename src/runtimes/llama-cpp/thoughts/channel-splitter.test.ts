import { describe, expect, it } from 'vitest';
import { ChannelSplitter } from './channel-splitter.js';

function read(text: string, size: number, withTools = false) {
  const splitter = new ChannelSplitter(withTools);
  const said = { thought: '', text: '', call: '' };
  const pieces = text.match(RegExp(`.{1,${size}}`, 'gsu')) ?? [];
  for (const { kind, text: part } of [...pieces.flatMap((piece) => splitter.push(piece)), ...splitter.end()])
    said[kind] += part;
  return said;
}

describe.each([1, 3, 7, 1_000])('ChannelSplitter, %i characters at a time', (size) => {
  it.each([
    [
      '<|channel|>analysis<|message|>Hm. 2 < 3.<|end|><|start|>assistant<|channel|>final<|message|>Yes.<|return|>',
      { thought: 'Hm. 2 < 3.', text: 'Yes.', call: '' },
    ],
    ['<|channel|>final<|message|>Yes', { thought: '', text: 'Yes', call: '' }],
    ['<|channel|>analysis<|message|>Never done', { thought: 'Never done', text: '', call: '' }],
    [
      '<|channel|>analysis<|message|>A<|end|><|start|>assistant<|channel|>commentary<|message|>First.<|end|><|start|>assistant<|channel|>analysis<|message|>B<|end|><|start|>assistant<|channel|>final<|message|>Then.',
      { thought: 'A\n\nB', text: 'First.\n\nThen.', call: '' },
    ],
    ['<|channel|>analysis<|message|>A<|end|><|start|>assist', { thought: 'A', text: '', call: '' }],
    ['No channels <|at|> all.', { thought: '', text: 'No channels <|at|> all.', call: '' }],
    ['', { thought: '', text: '', call: '' }],
  ])('%j', (text, said) => {
    expect(read(text, size)).toEqual(said);
  });
});

describe('a call of a tool among channels', () => {
  it.each([
    ['<|channel|>commentary to=functions.', '<|channel|>commentary to=functions.'],
    [' to=functions.', ' to=functions.'],
  ])('begins at its channel or its tool: %j', (head, call) => {
    const thought = '<|channel|>analysis<|message|>A<|end|><|start|>assistant';
    expect(read(thought + head, 1, true)).toEqual({ thought: 'A', text: '', call });
    expect(read(`${head}look <|constrain|>json<|message|>{}`, 1, false)).toMatchObject({ text: '{}', call: '' });
  });
});
