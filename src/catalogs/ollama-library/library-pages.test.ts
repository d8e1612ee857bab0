import { describe, expect, it } from 'vitest';
import { foundOnPage, tagsOnPage } from './library-pages.js';

/** As the search page marks what it shows, with everything that only makes it look well left out. */
const SEARCH = `
<nav><a href="/library">Models</a></nav>
<li x-test-model><a href="/library/llama3.2" class="group">
  <h2><span x-test-search-response-title>llama3.2</span></h2>
  <p class="max-w-lg">Meta&#39;s small models &amp; friends.</p>
  <span x-test-capability class="a b">tools</span><span x-test-capability>cloud</span>
  <span x-test-size class="c">1b</span><span x-test-size>3b</span>
  <span x-test-pull-count>4.1M</span>
</a></li>
<li x-test-model><a href="/library/nomic-embed-text">
  <p>An embedding model.</p><span x-test-capability>embedding</span><span x-test-pull-count>812,301</span>
</a><a href="/library/nomic-embed-text">again</a></li>
<li x-test-model><a href="/library/bare"></a></li>`;

describe('foundOnPage', () => {
  it('reads what is shown of each model, and nothing of its neighbour', () => {
    expect(foundOnPage(SEARCH)).toEqual([
      {
        name: 'llama3.2',
        description: "Meta's small models & friends.",
        abilities: ['tools'],
        sizes: ['1b', '3b'],
        pulls: 4_100_000,
      },
      {
        name: 'nomic-embed-text',
        description: 'An embedding model.',
        abilities: ['embedding'],
        sizes: [],
        pulls: 812_301,
      },
      { name: 'bare', description: null, abilities: [], sizes: [], pulls: null },
    ]);
  });

  it('is done soon with a page that is made to keep it busy', () => {
    expect(foundOnPage('<a href="/library/a">'.repeat(200_000))).toHaveLength(1);
    expect(foundOnPage(`<a href="/library/a">x-test-size${'<p '.repeat(200_000)}`)).toHaveLength(1);
  });
});

/** Each tag is linked twice: for narrow screens with everything in one line, and for wide ones in columns. */
const TAGS = `
<a href="/library/llama3.2:latest">llama3.2:latest</a>
<div><a href="/library/llama3.2:1b" class="md:hidden"><span>llama3.2:1b</span>
  <span><span class="font-mono">baf6a787fdff</span> • 1.3GB • 128K context window • Text input</span></a>
<a href="/library/llama3.2:1b">llama3.2:1b</a><p>1.3GB</p><p>128K</p></div>
<div><a href="/library/llama3.2:latest"><span>a80c4f17acd5</span> • 2.0GB • 128K context window</a></div>
<div><a href="/library/llama3.2:1b-instruct-q8_0">x</a><p>
   780MB
</p></div>
<div><a href="/library/llama3.2:90b-cloud">x</a><p>-</p></div>
<div><a href="/library/llama3.2:odd">x</a><p>Text</p></div>
<div><a href="/library/other:1b">x</a><p>9GB</p></div>`;

describe('tagsOnPage', () => {
  it('reads each tag once, with its size where one is shown, and leaves out what is not fetched', () => {
    expect(tagsOnPage(TAGS, 'library/llama3.2')).toEqual([
      { name: 'latest', sizeBytes: 2_000_000_000 },
      { name: '1b', sizeBytes: 1_300_000_000 },
      { name: '1b-instruct-q8_0', sizeBytes: 780_000_000 },
      { name: 'odd', sizeBytes: null },
    ]);
  });

  it('takes a name for no pattern', () => {
    expect(tagsOnPage('<a href="/library/aXb:1b">1GB', 'library/a.b')).toEqual([]);
  });
});
