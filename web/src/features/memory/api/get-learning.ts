// What was proposed from what people said and approved, for somebody to decide about.
import { useQuery } from '@tanstack/react-query';
import type { z } from 'zod';
import { type LearnedPhraseItem, LearnedPhraseList } from '../../../../../src/contract/intents';
import { ActiveHiddenPromptList, HiddenPromptList } from '../../../../../src/contract/learning';
import { request } from '../../../lib/http';

export type LearnedPhrase = z.output<typeof LearnedPhraseItem>;

const SHOWN = 100;

export const useLearnedPhrases = (state: LearnedPhrase['state']) =>
  useQuery({
    queryKey: ['memory', 'phrases', state],
    queryFn: ({ signal }) => request(`/intents/learned?state=${state}&limit=${SHOWN}`, LearnedPhraseList, { signal }),
  });

/** Answers people approved, and which of them are given to the model as examples. */
export const useHiddenPrompts = () =>
  useQuery({
    queryKey: ['memory', 'hidden-prompts'],
    queryFn: async ({ signal }) => {
      const [known, active] = await Promise.all([
        request(`/learning/hidden-prompts?limit=${SHOWN}`, HiddenPromptList, { signal }),
        request('/learning/hidden-prompts/active', ActiveHiddenPromptList, { signal }),
      ]);
      const used = new Set(active.items.map(({ prompt_hash, intent }) => `${intent} ${prompt_hash}`));
      return known.items.map((item) => ({ ...item, active: used.has(`${item.intent} ${item.prompt_hash}`) }));
    },
  });
