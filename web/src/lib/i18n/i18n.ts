// The three languages of the UI. English comes with the page, the others when they are chosen.
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { en } from './en';

export const LANGUAGES = { en: 'English', pl: 'Polski', de: 'Deutsch' } as const;
export type Language = keyof typeof LANGUAGES;
const STORAGE = 'venom.language';

const texts: Record<Language, () => Promise<Record<string, string>>> = {
  en: async () => en,
  pl: async () => (await import('./pl')).pl,
  de: async () => (await import('./de')).de,
};

export async function startI18n(): Promise<void> {
  const preferred = localStorage.getItem(STORAGE) ?? navigator.language.slice(0, 2);
  const language: Language = preferred in LANGUAGES ? (preferred as Language) : 'en';
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: 'en',
    keySeparator: false,
    interpolation: { escapeValue: false },
    resources: { en: { translation: en } },
  });
  await use(language);
}

export async function changeLanguage(language: Language): Promise<void> {
  localStorage.setItem(STORAGE, language);
  await use(language);
}

async function use(language: Language): Promise<void> {
  i18next.addResourceBundle(language, 'translation', await texts[language]());
  await i18next.changeLanguage(language);
  document.documentElement.lang = language;
}
