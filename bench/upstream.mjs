// A model server that streams at once: the same tokens for everyone, so that what is measured is what Venom adds.
import { createServer } from 'node:http';

const TOKENS = Number(process.argv[2] ?? 50);
const DELAY_MS = Number(process.argv[3] ?? 0);
const chunk = (delta, finish = null) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'bench', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`;
const token = chunk({ content: 'token ' });
const end = `${chunk({}, 'stop')}data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 5, completion_tokens: TOKENS } })}\n\ndata: [DONE]\n\n`;

const server = createServer((request, response) => {
  if (request.method === 'GET') {
    response.setHeader('content-type', 'application/json');
    return response.end('{"object":"list","data":[{"id":"bench"}]}');
  }
  request.resume();
  request.on('end', async () => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let sent = 0; sent < TOKENS; sent += 1) {
      response.write(token);
      await new Promise((resolve) => (DELAY_MS > 0 ? setTimeout(resolve, DELAY_MS) : setImmediate(resolve)));
    }
    response.end(end);
  });
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
