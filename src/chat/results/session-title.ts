// What a session is called in the list: what its first question is about, without greeting, command or code. Pure.

const TITLE_CHARS = 60;
const GREETING =
  /^(?:hi|hello|hey|good (?:morning|afternoon|evening)|cześć|czesc|hej|witaj|dzień dobry|dzien dobry|hallo|guten (?:tag|morgen|abend)|servus|moin)(?![\p{L}\p{N}])[\s,.!:;-]*(?:there|venom)?[\s,.!:;-]*/iu;
const COURTESY =
  /^(?:please|can you|could you|would you|i (?:want|need|would like) (?:you )?to|proszę|czy możesz|możesz|chcę|bitte|kannst du|könntest du|ich möchte)(?![\p{L}\p{N}])[\s,]*/iu;

/** Null where the text says nothing a title could be made of. */
export function sessionTitle(firstQuestion: string): string | null {
  const plain = firstQuestion
    .replace(/```[\s\S]*?(?:```|$)/g, ' ')
    .replace(/^\s*(?:\/[\w-]+\s+)+/, '')
    .replace(/https?:\/\/(\S+?)(?:[/?#]\S*)?(?=\s|$)/g, '$1')
    .replace(/[*_`#>]+/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  const bare = plain.replace(GREETING, '').replace(COURTESY, '').trim();
  const text = bare.length >= 3 ? bare : plain;
  if (!/[\p{L}\p{N}]/u.test(text)) return null;
  const sentence = /^.{8,}?[.!?](?=\s)/u.exec(text)?.[0] ?? text;
  const short = sentence.length > TITLE_CHARS ? `${cutAtWord(sentence)}…` : sentence.replace(/[.\s]+$/, '');
  return short.charAt(0).toLocaleUpperCase() + short.slice(1);
}

function cutAtWord(text: string): string {
  const cut = text.slice(0, TITLE_CHARS - 1);
  const space = cut.lastIndexOf(' ');
  return (space > TITLE_CHARS / 2 ? cut.slice(0, space) : cut).replace(/[\s,;:.-]+$/, '');
}
