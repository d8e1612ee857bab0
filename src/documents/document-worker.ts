// The text of one file, taken in a thread of its own: whatever a hostile file does to it, the server goes on. Bounds on time
// and memory are the parent's; bounds on what is unpacked are here. Imports no other source, so that it runs unbundled too.
import { parentPort, workerData } from 'node:worker_threads';
import { Parser } from 'htmlparser2';
import { getDocumentProxy } from 'unpdf';
import yauzl from 'yauzl';
import type { DocumentPage, DocumentRefusal, DocumentTask } from './document-reader.js';

const TEXT_CHARS = 5_000_000;
const PDF_PAGES = 5_000;
const ZIP_ENTRIES = 5_000;
const UNPACKED_BYTES = 64 * 1_048_576;
/** XML packs well, but not a thousand to one. */
const UNPACKED_RATIO = 200;
const RATIO_FROM_BYTES = 1_048_576;
const WORD_PARTS = /^word\/(?:document|footnotes|endnotes)\.xml$/;
const XML_DEPTH = 500;
const HTML_DEPTH = 5_000;

class Refused extends Error {
  readonly reason: DocumentRefusal;
  constructor(reason: DocumentRefusal, message: string) {
    super(message);
    this.reason = reason;
  }
}

const { kind, bytes } = workerData as DocumentTask;

async function read(): Promise<DocumentPage[]> {
  if (kind === 'pdf') return readPdf();
  if (kind === 'docx') return [{ page: null, text: bounded(await readWord()) }];
  const text = decoded();
  return [{ page: null, text: bounded(kind === 'html' ? readHtml(text) : text) }];
}

function decoded(): string {
  const data = Buffer.from(bytes);
  if (data[0] === 0xff && data[1] === 0xfe) return new TextDecoder('utf-16le').decode(data);
  if (data[0] === 0xfe && data[1] === 0xff) return new TextDecoder('utf-16be').decode(data);
  if (data.subarray(0, 65_536).includes(0)) throw new Refused('damaged', 'This is not a text file.');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(data);
  } catch {
    return new TextDecoder('windows-1252').decode(data);
  }
}

function bounded(text: string): string {
  if (text.length > TEXT_CHARS)
    throw new Refused('too_large', `The file has more than ${TEXT_CHARS.toLocaleString('en')} characters of text.`);
  return text;
}

async function readPdf(): Promise<DocumentPage[]> {
  const pdf = await getDocumentProxy(new Uint8Array(bytes), {
    isEvalSupported: false,
    disableFontFace: true,
    useSystemFonts: false,
    stopAtErrors: false,
    maxImageSize: 1,
    verbosity: 0,
  }).catch((error: Error) => {
    if (error.name === 'PasswordException') throw new Refused('encrypted', 'The file is protected by a password.');
    throw new Refused('damaged', error.message);
  });
  if (pdf.numPages > PDF_PAGES) throw new Refused('too_large', `The file has more than ${PDF_PAGES} pages.`);
  const pages: DocumentPage[] = [];
  let chars = 0;
  for (let number = 1; number <= pdf.numPages; number += 1) {
    const page = await pdf.getPage(number);
    const { items } = await page.getTextContent();
    const text = items
      .map((item) => ('str' in item ? item.str + (item.hasEOL ? '\n' : '') : ''))
      .join('')
      .trim();
    page.cleanup();
    chars += text.length;
    if (chars > TEXT_CHARS) bounded(' '.repeat(TEXT_CHARS + 1));
    pages.push({ page: number, text });
  }
  return pages;
}

const BLOCKS = new Set(
  'p div br li ul ol tr table h1 h2 h3 h4 h5 h6 section article header footer nav main aside pre blockquote dt dd hr figure figcaption title'.split(
    ' ',
  ),
);
const SILENT = new Set(['script', 'style', 'noscript', 'template', 'svg', 'iframe', 'object', 'head']);

function readHtml(html: string): string {
  let text = '';
  let silent = 0;
  let inTitle = false;
  let depth = 0;
  const parser = new Parser({
    onopentagname(name) {
      depth += 1;
      // The parser's own work grows with the square of it.
      if (depth > HTML_DEPTH) throw new Refused('damaged', 'The file is nested too deeply.');
      if (name === 'title') inTitle = true;
      if (SILENT.has(name)) silent += 1;
      if (BLOCKS.has(name)) text += '\n';
    },
    ontext(piece) {
      if (silent === 0 || inTitle) text += piece;
    },
    onclosetag(name) {
      depth -= 1;
      if (name === 'title') inTitle = false;
      if (SILENT.has(name)) silent = Math.max(0, silent - 1);
      if (BLOCKS.has(name) && name !== 'br') text += '\n';
    },
  });
  parser.end(html);
  return tidied(text);
}

const tidied = (text: string): string =>
  text
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();

async function readWord(): Promise<string> {
  const zip = await yauzl.fromBufferPromise(Buffer.from(bytes), { validateEntrySizes: true });
  if (zip.entryCount > ZIP_ENTRIES) throw new Refused('too_large', `The file has more than ${ZIP_ENTRIES} parts.`);
  const parts = new Map<string, string>();
  let unpacked = 0;
  for await (const entry of zip.eachEntry()) {
    if (entry.isEncrypted()) throw new Refused('encrypted', 'The file is protected by a password.');
    if (!WORD_PARTS.test(entry.fileName)) continue;
    const pieces: Buffer[] = [];
    let size = 0;
    for await (const piece of await zip.openReadStreamPromise(entry)) {
      size += piece.length;
      unpacked += piece.length;
      const bomb = size > RATIO_FROM_BYTES && size > entry.compressedSize * UNPACKED_RATIO;
      if (bomb || unpacked > UNPACKED_BYTES)
        throw new Refused('too_large', 'The file unpacks to far more than it should.');
      pieces.push(piece as Buffer);
    }
    parts.set(entry.fileName, Buffer.concat(pieces).toString('utf8'));
  }
  const main = parts.get('word/document.xml');
  if (main === undefined) throw new Refused('damaged', 'This is not a Word document.');
  return tidied(
    [main, ...[...parts].filter(([name]) => name !== 'word/document.xml').map(([, xml]) => xml)]
      .map(wordText)
      .join('\n'),
  );
}

function wordText(xml: string): string {
  let text = '';
  let depth = 0;
  let inText = false;
  const parser = new Parser(
    {
      onopentagname(name) {
        depth += 1;
        if (depth > XML_DEPTH) throw new Refused('damaged', 'The file is nested too deeply.');
        if (name === 'w:t') inText = true;
        else if (name === 'w:tab') text += '\t';
        else if (name === 'w:br' || name === 'w:cr') text += '\n';
      },
      ontext(piece) {
        if (inText) text += piece;
      },
      onclosetag(name) {
        depth -= 1;
        if (name === 'w:t') inText = false;
        else if (name === 'w:p') text += '\n';
        else if (name === 'w:tc') text += '\t';
      },
    },
    { xmlMode: true, decodeEntities: true },
  );
  parser.end(xml);
  return text;
}

try {
  const pages = await read();
  if (pages.every(({ text }) => text.trim() === ''))
    throw new Refused('no_text', 'The file has no text; scanned pages are pictures.');
  parentPort?.postMessage({ pages });
} catch (error) {
  const refused = error instanceof Refused ? error : new Refused('damaged', (error as Error).message);
  parentPort?.postMessage({ refused: { reason: refused.reason, message: refused.message.slice(0, 300) } });
}
