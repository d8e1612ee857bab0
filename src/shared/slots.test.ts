import { expect, it } from 'vitest';
import { Slots } from './slots.js';

const never = new AbortController().signal;

it('runs so many at a time, the rest in order, and refuses more than may wait', async () => {
  const slots = new Slots(1, 2);
  const order: number[] = [];
  const first = Promise.withResolvers<void>();
  const runs = [
    slots.run(() => first.promise.then(() => void order.push(0)), never),
    slots.run(async () => void order.push(1), never),
    slots.run(async () => void order.push(2), never),
  ];
  await expect(slots.run(async () => {}, never)).rejects.toMatchObject({ code: 'runtime_busy' });
  expect(order).toEqual([]);
  first.resolve();
  await Promise.all(runs);
  expect(order).toEqual([0, 1, 2]);
});

it('loses no slot to those who leave and to work that fails', async () => {
  const slots = new Slots(1, 5);
  const first = Promise.withResolvers<void>();
  const running = slots.run(() => first.promise, never);
  const abort = new AbortController();
  const left = slots.run(async () => 'never', abort.signal);
  abort.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  const failing = slots.run(async () => {
    throw new Error('bad');
  }, never);
  first.resolve();
  await running;
  await expect(failing).rejects.toThrow('bad');
  expect(await slots.run(async () => 'fine', never)).toBe('fine');
});

it('takes nobody else from the queue when a turn comes and goes in the same moment', async () => {
  const slots = new Slots(1, 5);
  const first = Promise.withResolvers<void>();
  const running = slots.run(() => first.promise, never);
  const abort = new AbortController();
  const second = slots.run(async () => 'second', abort.signal);
  const third = slots.run(async () => 'third', never);
  first.resolve();
  await running;
  abort.abort(new Error('too late'));
  expect(await second).toBe('second');
  expect(await third).toBe('third');
});
