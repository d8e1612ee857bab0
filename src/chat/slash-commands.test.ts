import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { en } from '../../web/src/lib/i18n/en.js';
import { SLASH_COMMANDS } from '../contract/slash-commands.js';
import { intentOfTool, parseSlashCommands, providerOf } from './slash-commands.js';

const none = { tool: null, provider: null, intent: null, reset: false, unknown: [] };

describe('parseSlashCommands', () => {
  it.each([
    ['/git status please', { tool: 'git', intent: 'VERSION_CONTROL', text: 'status please' }],
    ['  /web   news', { tool: 'web', intent: 'RESEARCH', text: 'news' }],
    ['/gpt hi', { provider: 'openai', text: 'hi' }],
    ['/gem hi', { provider: 'google', text: 'hi' }],
    ['@gpt hi', { provider: 'openai', text: 'hi' }],
    ['@gem', { provider: 'google', text: '' }],
    ['/clear', { reset: true, text: '' }],
    ['/cler and go on', { reset: true, text: 'and go on' }],
    [
      '/clear /gpt /docs write',
      { reset: true, provider: 'openai', tool: 'docs', intent: 'DOCUMENTATION', text: 'write' },
    ],
    ['/nothing here', { unknown: ['/nothing'], text: 'here' }],
    ['/Git status', { unknown: ['/Git'], text: 'status' }],
    ['/git /docs both', { tool: 'git', intent: 'VERSION_CONTROL', text: '/docs both' }],
    ['@anna hi', { text: '@anna hi' }],
    ['/etc/hosts is what?', { text: '/etc/hosts is what?' }],
    ['see /git', { text: 'see /git' }],
    ['/ git', { text: '/ git' }],
    ['', { text: '' }],
  ])('%s', (content, expected) => {
    expect(parseSlashCommands(content)).toEqual({ ...none, ...expected });
  });

  it('keeps every word of a text that begins with no command', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        fc.pre(!/^\s*[/@]/.test(text));
        expect(parseSlashCommands(text)).toEqual({ ...none, text });
      }),
    );
  });
});

describe('the table', () => {
  it('names an intent for every tool, and a text of the UI for every command', () => {
    for (const command of SLASH_COMMANDS) {
      expect(Object.keys(en)).toContain(command.labelKey);
      if (command.kind === 'tool') expect(intentOfTool(command.id)).toBe(command.intent);
    }
    expect(intentOfTool('gpt')).toBeNull();
    expect(intentOfTool('toString')).toBeNull();
  });

  it('knows the providers by both names', () => {
    expect(['gpt', 'gem', 'openai', 'vllm'].map(providerOf)).toEqual(['openai', 'google', 'openai', 'vllm']);
  });
});
