// Entries of an RSS feed as plain text: only what a list of news shows, everything else is passed over.

export interface FeedItem {
  title: string;
  link: string;
  description: string;
  /** ISO 8601, UTC; null where the feed does not say. */
  publishedAt: string | null;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };
const MAX_ITEM_CHARS = 200_000;

export function feedItems(feed: string, limit: number): FeedItem[] {
  const items: FeedItem[] = [];
  let at = 0;
  while (items.length < limit) {
    const start = feed.indexOf('<item', at);
    const end = feed.indexOf('</item>', start);
    if (start === -1 || end === -1) break;
    at = end + '</item>'.length;
    if (end - start > MAX_ITEM_CHARS) continue;
    const item = feed.slice(start, end);
    const link = field(item, 'link').trim();
    // Shown as a link in a page: nothing but the web.
    if (!/^https?:\/\//.test(link)) continue;
    const published = Date.parse(field(item, 'pubDate'));
    items.push({
      title: plain(field(item, 'title')),
      link,
      description: plain(field(item, 'description')),
      publishedAt: Number.isFinite(published) ? new Date(published).toISOString() : null,
    });
  }
  return items;
}

function field(item: string, name: string): string {
  const start = item.indexOf(`<${name}>`);
  const end = item.indexOf(`</${name}>`, start);
  if (start === -1 || end === -1) return '';
  const text = item.slice(start + name.length + 2, end).trim();
  return text.startsWith('<![CDATA[') && text.endsWith(']]>') ? text.slice(9, -3) : decode(text);
}

const decode = (text: string): string =>
  text.replace(/&(#x?[0-9a-f]{1,6}|[a-z]{2,6});/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : '';
  });

/** Tags are taken out after decoding too, because feeds escape their HTML. */
const plain = (text: string): string =>
  decode(text.replace(/<[^>]{0,2000}>/g, ' '))
    .replace(/<[^>]{0,2000}>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
