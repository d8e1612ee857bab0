// /oauth: where a browser comes back to after a login at a remote MCP server, and who we say to be there. Both are open: the
// state is the credential of the first, and the second is meant to be read by anybody.
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { toAppError } from '../../shared/errors.js';
import { STATUS } from '../error-handler.js';

export const CALLBACK_PATH = '/oauth/callback';
export const CLIENT_METADATA_PATH = '/oauth/client.json';

export interface OAuthRoutesOptions {
  /** Takes what a browser brought; gives the server that can be used now. @throws AppError */
  completeLogin: (parameters: URLSearchParams) => Promise<string>;
  /** Undefined where the internet does not reach us. */
  clientDocument: () => object | undefined;
}

export const oauthRoutes: FastifyPluginAsyncZod<OAuthRoutesOptions> = async (
  app,
  { completeLogin, clientDocument },
) => {
  // A browser that comes back has no key.
  app.get(CALLBACK_PATH, { schema: { hide: true }, config: { open: true } }, async (request, reply) => {
    const words = wordsFor(request);
    const query = request.url.split('?')[1] ?? '';
    try {
      const server = await completeLogin(new URLSearchParams(query));
      return page(reply, 200, words.lang, words.done, words.doneText(server));
    } catch (thrown) {
      const error = toAppError(thrown);
      // Never the thrown error whole: it may hold what the browser brought.
      request.log.warn({ code: error.code, reason: error.message }, 'a login at an MCP server failed');
      return page(
        reply,
        STATUS[error.code] === 502 ? 400 : STATUS[error.code],
        words.lang,
        words.failed,
        error.message,
      );
    }
  });
  app.get(CLIENT_METADATA_PATH, { schema: { hide: true }, config: { open: true } }, async (_request, reply) => {
    const document = clientDocument();
    if (!document) return reply.callNotFound();
    return reply.header('cache-control', 'max-age=3600').send(document);
  });
};

const WORDS = {
  en: {
    lang: 'en',
    done: 'Logged in',
    doneText: (server: string) => `Venom may use ${server} now. You can close this page.`,
    failed: 'The login did not work',
  },
  de: {
    lang: 'de',
    done: 'Angemeldet',
    doneText: (server: string) => `Venom darf ${server} jetzt benutzen. Diese Seite kann geschlossen werden.`,
    failed: 'Die Anmeldung hat nicht geklappt',
  },
  pl: {
    lang: 'pl',
    done: 'Zalogowano',
    doneText: (server: string) => `Venom może teraz używać ${server}. Można zamknąć tę stronę.`,
    failed: 'Logowanie nie powiodło się',
  },
};

function wordsFor(request: FastifyRequest) {
  const wanted = String(request.headers['accept-language'] ?? '').slice(0, 200);
  const language = wanted.split(',').map((part) => part.trim().slice(0, 2).toLowerCase());
  const known = language.find((name): name is keyof typeof WORDS => Object.hasOwn(WORDS, name));
  return WORDS[known ?? 'en'];
}

function page(reply: FastifyReply, status: number, lang: string, title: string, text: string): FastifyReply {
  return reply
    .status(status)
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html><html lang="${lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">` +
        `<title>${escaped(title)}</title><style>body{font:1.1rem/1.5 system-ui,sans-serif;margin:15vh auto;max-width:32rem;` +
        `padding:0 1rem;color-scheme:light dark}</style><main><h1>${escaped(title)}</h1><p>${escaped(text)}</p></main></html>`,
    );
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
