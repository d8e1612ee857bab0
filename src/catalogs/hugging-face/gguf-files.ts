// Which GGUF files of a repository are one model: the quantization that was asked for, or the one most people want, all its
// parts together; and what else could be chosen. Pure.
import type { InstallVariant, PlannedFile } from '../../models/ports.js';
import { AppError } from '../../shared/errors.js';

export const PARTS = /-(\d{5})-of-(\d{5})\.gguf$/i;
const PREFERRED = ['q4_k_m', 'q4_k_s', 'q4_0', 'q4_1', 'q5_k_m', 'q5_k_s', 'q5_0', 'q6_k', 'q8_0', 'f16', 'bf16'];
const QUANTIZATION = /(?:^|[-._/])((?:UD-)?(?:I?Q\d(?:_[A-Z0-9]+)*|TQ\d_\d|MXFP4|BF16|FP?16|F32))(?=[-._/]|$)/gi;
const MAX_VARIANTS = 100;

/** @throws AppError `unsafe_model` without a GGUF file, `model_not_found` for a selector that none fits */
export function ggufFiles(id: string, all: readonly PlannedFile[], selector: string | undefined): PlannedFile[] {
  const ggufs = all.filter(isModel);
  if (ggufs.length === 0) throw new AppError('unsafe_model', `${id} has no GGUF file; it cannot run in llama.cpp.`);
  const chosen = selector
    ? selected(ggufs, selector)
    : (PREFERRED.map((quantization) => ggufs.find(({ path }) => has(path, quantization))).find(Boolean) ?? ggufs[0]);
  if (!chosen) throw new AppError('model_not_found', `${id} has no file for ${selector}.`);
  return withParts(ggufs, chosen);
}

/** What may stand behind the colon of the model's name, smallest first. */
export function ggufVariants(all: readonly PlannedFile[], chosen: readonly PlannedFile[]): InstallVariant[] {
  const ggufs = all.filter(isModel);
  const first = ggufs.filter(({ path }) => (PARTS.exec(path)?.[1] ?? '00001') === '00001');
  return first
    .map((file) => ({
      name: nameOf(ggufs, file),
      sizeBytes: withParts(ggufs, file).reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
      chosen: chosen.some(({ path }) => path === file.path),
    }))
    .toSorted((one, other) => one.sizeBytes - other.sizeBytes)
    .slice(0, MAX_VARIANTS);
}

/** The quantization where it means this file and no other, else the file's own name. */
function nameOf(ggufs: readonly PlannedFile[], file: PlannedFile): string {
  const quantization = [
    ...file.path
      .replace(PARTS, '.gguf')
      .replace(/\.gguf$/i, '')
      .matchAll(QUANTIZATION),
  ].at(-1)?.[1];
  if (quantization !== undefined && selected(ggufs, quantization) === file) return quantization;
  return file.path.split('/').at(-1) ?? file.path;
}

function selected(ggufs: readonly PlannedFile[], selector: string): PlannedFile | undefined {
  return (
    ggufs.find(({ path }) => path === selector || path.split('/').at(-1) === selector) ??
    ggufs.find(({ path }) => has(path, selector))
  );
}

function withParts(ggufs: readonly PlannedFile[], chosen: PlannedFile): PlannedFile[] {
  if (!PARTS.test(chosen.path)) return [chosen];
  const stem = chosen.path.replace(PARTS, '');
  return ggufs.filter(({ path }) => PARTS.test(path) && path.replace(PARTS, '') === stem);
}

/** Projectors of pictures lie beside models and are none. */
const isModel = ({ path }: PlannedFile): boolean => /\.gguf$/i.test(path) && !/mmproj/i.test(path);
const has = (path: string, text: string): boolean => path.toLowerCase().includes(text.toLowerCase());
