// The words of strangers that a person decides by, with nothing hidden in them.

/** What a terminal would act on, or not show, is written out; lines stay lines. */
export const openWords = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}]/gu, (character) =>
    character === '\n' || character === '\t'
      ? character
      : `<U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`,
  );
