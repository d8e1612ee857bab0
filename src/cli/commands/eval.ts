// venom eval: how well intents are recognised on the labelled utterances. Asks no server and no model.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Evaluation, evaluate, readUtterances, type Share } from '../../chat/intents/evaluation.js';
import { WordClassifier } from '../../chat/intents/word-classifier.js';
import { AppError } from '../../shared/errors.js';
import { CHECKOUT } from '../installation.js';
import { type Terminal, table } from '../terminal.js';

const UTTERANCES = join(CHECKOUT, 'test', 'evaluation', 'intents.jsonl');
/** Other people's words for the same wishes: half of them were never looked at while the lexicons were changed. */
const NEW_WORDINGS = join(CHECKOUT, 'test', 'evaluation', 'intents-new-wordings.jsonl');

/**
 * Exits with 1 below 95 %, or when talk was taken for an order. New wordings are counted beside that and fail nothing.
 * @throws AppError `invalid_input`
 */
export async function evaluateIntents(terminal: Terminal, options: { file?: string }): Promise<void> {
  const words = new WordClassifier();
  const of = async (path: string): Promise<Evaluation> => {
    try {
      return evaluate(readUtterances(await readFile(path, 'utf8')), (text) => words.classify(text).decision);
    } catch (cause) {
      throw new AppError('invalid_input', `${path} holds no labelled utterances: ${(cause as Error).message}`, {
        cause,
      });
    }
  };
  const evaluation = await of(options.file ?? UTTERANCES);
  const newWordings = options.file === undefined ? await of(NEW_WORDINGS) : undefined;
  terminal.result(
    newWordings ? { ...evaluation, newWordings } : evaluation,
    newWordings ? `${asText(evaluation)}\n\n${newWordingsAsText(newWordings)}` : asText(evaluation),
  );
  if (!evaluation.passed) process.exitCode = 1;
}

function newWordingsAsText({ overall, held, byIntent, misfires }: Evaluation): string {
  return [
    table(
      ['NEW WORDINGS', 'RIGHT', 'OF', 'SHARE'],
      Object.entries(byIntent).map(([name, share]) => [name, ...cells(share)]),
    ),
    `All: ${percent(overall)}. Held out: ${percent(held)}. ${told(misfires)}`,
  ].join('\n\n');
}

const told = (misfires: readonly string[]): string =>
  misfires.length === 0 ? 'No misfire.' : `Misfires: ${misfires.join(' · ')}`;

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
      told(misfires),
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
