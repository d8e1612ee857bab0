import { expect, it } from 'vitest';
import { OpenAnswers } from './open-answers.js';

it('waits for the answers of a model, under either of its names, and for no other', async () => {
  const answers = new OpenAnswers();
  const [first, second] = [answers.begin('m'), answers.begin('m:latest')];
  answers.begin('other');
  let idle = false;
  const waiting = answers.idle('m', 5_000).then(() => {
    idle = true;
  });
  first();
  first();
  await new Promise((resolve) => setImmediate(resolve));
  expect(idle).toBe(false);
  second();
  await waiting;
  expect(idle).toBe(true);
});

it('does not wait for ever, nor for what begins later', async () => {
  const answers = new OpenAnswers();
  await answers.idle('m', 60_000);
  const end = answers.begin('m');
  await answers.idle('m', 10);
  end();
  await answers.idle('m', 60_000);
});
