// A model server for pictures: it answers known questions with texts that were written for them, so that pictures of
// everything around an answer come out the same each time.
import { createServer } from 'node:http';
import { ANSWERS, SCRIPTED } from './texts.mjs';

const chunk = (delta, finish = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;

export async function startModelServer() {
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({ data: [{ id: 'qwen3-4b-instruct' }, { id: 'gemma-3-12b-it' }, { id: 'phi-4-mini' }] }),
      );
      return;
    }
    let text = '';
    for await (const part of request) text += part;
    const body = JSON.parse(text);
    const question = String(body.messages?.at(-1)?.content ?? '');
    const scripted = SCRIPTED.find(({ when }) => when(question, body));
    if (scripted?.status) {
      response.writeHead(scripted.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: scripted.answer } }));
      return;
    }
    const answer = scripted?.answer ?? ANSWERS.find(([words]) => question.includes(words))?.[1] ?? 'Certainly.';
    const words = answer.match(/\s*\S+\s*/g) ?? [];
    const usage = { prompt_tokens: Math.ceil(text.length / 4), completion_tokens: words.length };
    if (body.stream !== true) {
      response.setHeader('content-type', 'application/json');
      response.end(
        JSON.stringify({
          choices: [{ message: { role: 'assistant', content: answer }, finish_reason: 'stop' }],
          usage,
        }),
      );
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const word of words) {
      if (response.destroyed) return;
      response.write(chunk({ content: word }));
      await new Promise((done) => setTimeout(done, scripted?.delayMs ?? 4));
    }
    response.write(chunk({}, 'stop'));
    response.write(`data: ${JSON.stringify({ choices: [], usage })}\n\n`);
    response.end('data: [DONE]\n\n');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
