// venom eval: how well intents are recognised on the labelled utterances. Asks no server and no model.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Evaluation, evaluate, readUtterances, type Share } from '../../chat/intents/evaluation.js';
import { WordClassifier } from '../../chat/intents/word-classifier.js';
import { AppError } from '../../shared/errors.js';
import { CHECKOUT } from '../installation.js';
import { type Terminal, table } from '../terminal.js';

const UTTERANCES = join(CHECKOUT, 'test', 'evaluation', 'intents.jsonl');

/** Exits with 1 below 95 %, or when talk was taken for an order. @throws AppError `invalid_input` */
export async function evaluateIntents(terminal: Terminal, options: { file?: string }): Promise<void> {
  const path = options.file ?? UTTERANCES;
  let utterances: ReturnType<typeof readUtterances>;
  try {
    utterances = readUtterances(await readFile(path, 'utf8'));
  } catch (cause) {
    throw new AppError('invalid_input', `${path} holds no labelled utterances: ${(cause as Error).message}`, { cause });
  }
  const words = new WordClassifier();
  const evaluation = evaluate(utterances, (text) => words.classify(text).decision);
  terminal.result(evaluation, asText(evaluation));
  if (!evaluation.passed) process.exitCode = 1;
}

function asText(evaluation: Evaluation): string {
  const { overall, held, languageTold, byIntent, byLanguage, confusions, wrong, misfires, passed } = evaluation;
  const rows = (shares: Record<string, Share>) =>
    Object.entries(shares).map(([name, share]) => [name, ...cells(share)]);
  return [
    table(['INTENT', 'RIGHT', 'OF', 'SHARE'], rows(byIntent)),
    table(['LANGUAGE', 'RIGHT', 'OF', 'SHARE'], rows(byLanguage)),
    ...(confusions.length === 0
      ? []
      : [
          table(
            ['EXPECTED', 'TAKEN FOR', 'TIMES'],
            confusions.map(({ expected, got, count }) => [expected, got, String(count)]),
          ),
          wrong.map(({ language, expected, got, text }) => `${language} ${expected} → ${got}: ${text}`).join('\n'),
        ]),
    [
      `All: ${percent(overall)}. Held out: ${percent(held)}. Language told: ${percent(languageTold)}.`,
      misfires.length === 0 ? 'No misfire.' : `Misfires: ${misfires.join(' · ')}`,
      passed ? 'Passed.' : 'Failed.',
    ].join('\n'),
  ].join('\n\n');
}

const percent = (share: Share): string =>
  share.total === 0 ? 'none' : `${((share.right / share.total) * 100).toFixed(1)} % of ${share.total}`;
const cells = (share: Share): string[] => [
  String(share.right),
  String(share.total),
  `${((share.right / share.total) * 100).toFixed(1)} %`,
];
