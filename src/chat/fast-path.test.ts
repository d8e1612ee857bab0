import { describe, expect, it } from 'vitest';
import { type FastPathFacts, fastPathAnswer } from './fast-path.js';
import { INTENTS } from './intent.js';
import { STATIC_INTENTS } from './intent-traits.js';

const facts: FastPathFacts = {
  now: Date.UTC(2026, 10, 25, 22, 5),
  timeZone: 'Europe/Warsaw',
  services: [
    { name: 'Engine', status: 'online', critical: true, latencyMs: 12.4, error: null },
    { name: 'Redis', status: 'offline', critical: false, latencyMs: null, error: 'refused' },
  ],
  servicesAt: Date.UTC(2026, 10, 25, 22, 4, 50),
  agents: ['coder', 'git'],
  modes: ['direct', 'normal'],
  plugins: ['weather', '_private', 'internal_tools'],
  activeModel: 'smol',
  cloud: [],
  hasMemory: true,
};

describe('the time', () => {
  it.each([
    ['en', /23:05.*Wednesday,? 25 November 2026.*Europe\/Warsaw/],
    ['pl', /23:05.*środa, 25 listopada 2026.*Europe\/Warsaw/],
    ['de', /23:05 Uhr.*Mittwoch, 25. November 2026.*Europe\/Warsaw/],
  ] as const)('in %s, in the zone of the client', (language, expected) => {
    expect(fastPathAnswer('TIME_REQUEST', 'time?', facts, language)).toMatch(expected);
  });

  it.each(['just the time please', 'krótko: która godzina', 'tylko godzina', 'nur die Uhrzeit'])(
    'only hours and minutes for "%s"',
    (text) => {
      expect(fastPathAnswer('TIME_REQUEST', text, facts, 'pl')).toBe('23:05');
    },
  );

  it('shortly is not short: the word must stand alone', () => {
    expect(fastPathAnswer('TIME_REQUEST', 'shortly, what time is it', facts, 'en')).toContain('November');
  });

  it('in the zone of the server where the client names none, or one that nobody knows', () => {
    for (const timeZone of [null, 'Mars/Olympus'])
      expect(fastPathAnswer('TIME_REQUEST', '', { ...facts, timeZone }, 'en')).toContain(
        Intl.DateTimeFormat().resolvedOptions().timeZone,
      );
  });
});

describe('the state of the services', () => {
  it('counts them, one line each, in every language', () => {
    expect(fastPathAnswer('INFRA_STATUS', '', facts, 'en')).toBe(
      '**State of the services.** online: 1, offline: 1\n\nNo critical alerts.\n\n- **Engine**: online, 12 ms\n- **Redis**: offline (refused)\n\nChecked 10 s ago.',
    );
    expect(fastPathAnswer('INFRA_STATUS', '', facts, 'pl')).toContain('**Redis**: nie działa (refused)');
    expect(fastPathAnswer('INFRA_STATUS', '', facts, 'de')).toContain('**Redis**: läuft nicht (refused)');
  });

  it('names what is critical and down', () => {
    const down = [{ name: 'Engine', status: 'offline' as const, critical: true, latencyMs: null, error: null }];
    expect(fastPathAnswer('INFRA_STATUS', '', { ...facts, services: down }, 'de')).toContain('**Kritisch:** Engine');
  });

  it('says so where nothing was collected', () => {
    expect(fastPathAnswer('INFRA_STATUS', '', { ...facts, services: null }, 'en')).toContain('not been collected yet');
  });
});

describe('help', () => {
  it('lists the agents, modes and plugins that are there, and no others', () => {
    const help = fastPathAnswer('HELP_REQUEST', 'help', facts, 'en') ?? '';
    expect(help).toContain('- Coder');
    expect(help).not.toContain('Researcher');
    expect(help).toContain('- Direct');
    expect(help).not.toContain('Council');
    expect(help).toContain('`weather`');
    expect(help).not.toMatch(/_private|internal_tools/);
    expect(help).toContain('`smol`');
    expect(help).toContain('Everything stays on this machine');
  });

  it('names the cloud where one may be used', () => {
    const help = fastPathAnswer('HELP_REQUEST', '', { ...facts, cloud: ['openai'], activeModel: null }, 'pl') ?? '';
    expect(help).toContain('modeli w chmurze: openai');
    expect(help).toContain('Żaden model nie jest jeszcze aktywny');
  });
});

it('there is a template for the static intents and for what cannot be done, in every language, and for no other', () => {
  for (const intent of INTENTS)
    for (const language of ['en', 'pl', 'de', null] as const) {
      const answer = fastPathAnswer(intent, '', facts, language);
      if (STATIC_INTENTS.has(intent) || intent === 'UNSUPPORTED_TASK') expect(answer).toMatch(/\S/);
      else expect(answer).toBeNull();
    }
  expect(fastPathAnswer('UNSUPPORTED_TASK', '', facts, 'de')).toContain('Das kann ich nicht');
});
