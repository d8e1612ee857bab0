// How much is done with a message before the model answers.
import { useLocalStorage } from '@mantine/hooks';

export const MODES = ['direct', 'normal', 'complex'] as const;
export type Mode = (typeof MODES)[number];

export const useMode = () => useLocalStorage<Mode>({ key: 'venom.mode', defaultValue: 'direct' });

/** Direct knows no commands and no pictures: what has any goes through the pipeline. */
export const modeFor = (text: string, chosen: Mode, images: readonly string[] = []): Mode =>
  chosen === 'direct' && (images.length > 0 || /^(\/[\w-]+|@(gpt|gem)\b)/.test(text)) ? 'normal' : chosen;
