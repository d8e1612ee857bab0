// Ollama's library as far as we read it: its list as JSON, its search and tag pages as marked text, its registry's tag lists.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeLibraryModel {
  description?: string;
  abilities?: string[];
  sizes?: string[];
  /** Tag and what its page shows as size. */
  tags: Record<string, string>;
}

export interface FakeLibrary {
  url: string;
  models: Record<string, FakeLibraryModel>;
  requests: string[];
  /** Takes an answer over; true when it did. */
  intercept: (path: string, response: ServerResponse) => boolean;
  close(): Promise<void>;
}

export async function startFakeLibrary(): Promise<FakeLibrary> {
  const library: FakeLibrary = {
    url: '',
    models: {},
    requests: [],
    intercept: () => false,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://library');
    library.requests.push(pathname);
    if (library.intercept(pathname, response)) return;
    const json = (value: unknown) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
    const page = (text: string) => response.writeHead(200, { 'content-type': 'text/html' }).end(text);
    if (pathname === '/api/tags')
      return json({
        models: Object.entries(library.models).flatMap(([name, { tags }]) =>
          Object.entries(tags).map(([tag, size]) => ({
            name: `${name}:${tag}`,
            size: Number.parseFloat(size) * 1e9,
            details: { family: 'llama', parameter_size: '', quantization_level: 'Q4_K_M' },
          })),
        ),
      });
    if (pathname === '/search') {
      const found = Object.entries(library.models).filter(([name]) => name.includes(searchParams.get('q') ?? ''));
      return page(`<a href="/library">Models</a>${found.map(([name, model]) => searchResult(name, model)).join('')}`);
    }
    const shown = /^\/library\/([\w\-.]+)\/tags$/.exec(pathname)?.[1];
    const listed = /^\/v2\/library\/([\w\-.]+)\/tags\/list$/.exec(pathname)?.[1];
    const model = library.models[shown ?? listed ?? ''];
    if (!model) return response.writeHead(404).end('not found');
    if (listed) return json({ name: `library/${listed}`, tags: Object.keys(model.tags) });
    return page(
      Object.entries(model.tags)
        .map(
          ([tag, size]) =>
            `<a href="/library/${shown}:${tag}"><span>${shown}:${tag}</span><span>baf6a787fdff</span> • ${size} • 128K context</a>`,
        )
        .join('\n'),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(library, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

const searchResult = (name: string, { description = '', abilities = [], sizes = [] }: FakeLibraryModel) =>
  `<li><a href="/library/${name}"><h2>${name}</h2><p class="a">${description}</p>${abilities
    .map((ability) => `<span x-test-capability class="b">${ability}</span>`)
    .join(
      '',
    )}${sizes.map((size) => `<span x-test-size>${size}</span>`).join('')}<span x-test-pull-count>1.2M</span></a></li>`;
