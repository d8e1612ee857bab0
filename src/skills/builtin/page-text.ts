// What a reader sees of an HTML page, as plain text. Scripts, styles and hidden parts are left out.
import { Parser } from 'htmlparser2';

const SILENT = new Set(['script', 'style', 'noscript', 'template', 'svg', 'head', 'nav', 'iframe', 'object']);
const BLOCKS = new Set(
  'p div section article header footer main ul ol li table tr blockquote pre h1 h2 h3 h4 h5 h6 br hr dl dt dd form'.split(
    ' ',
  ),
);
// They have no end tag, so nothing would end their silence.
const VOID = new Set('area base br col embed hr img input link meta source track wbr'.split(' '));

export function pageText(html: string): { title: string; text: string } {
  const pieces: string[] = [];
  let title = '';
  let inTitle = false;
  const silent: string[] = [];
  const parser = new Parser({
    onopentag(name, attributes) {
      if (name === 'title') inTitle = true;
      const hidden = 'hidden' in attributes || attributes['aria-hidden'] === 'true';
      if ((silent.length > 0 || SILENT.has(name) || hidden) && !VOID.has(name)) silent.push(name);
      else if (BLOCKS.has(name)) pieces.push('\n');
    },
    ontext(text) {
      if (inTitle) title += text;
      else if (silent.length === 0) pieces.push(text);
    },
    onclosetag(name) {
      if (name === 'title') inTitle = false;
      const open = silent.lastIndexOf(name);
      if (open !== -1) silent.length = open;
      else if (silent.length === 0 && BLOCKS.has(name)) pieces.push('\n');
    },
  });
  parser.end(html);
  const text = pieces
    .join('')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n[ \n]*/g, '\n')
    .trim();
  return { title: title.replace(/\s+/g, ' ').trim().slice(0, 500), text };
}
