// What engines are called, by the ids the server gives them.
import type { TFunction } from 'i18next';

/** `named` is what the server calls one that is not known here. */
export const engineName = (t: TFunction, id: string, named = id): string => t(`engine.${id}`, { defaultValue: named });

/** What kind of engine it is, in a few words. */
export const engineAbout = (t: TFunction, id: string, described: string): string =>
  t(`engine.about.${id}`, { defaultValue: described });
